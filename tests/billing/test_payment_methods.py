"""How a tenant pays: only its own, only to who pays, and never the last one by which it is paid."""

import pytest

from tests.billing.conftest import ask
from tests.billing.test_collecting import paying, shop  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db


def second_card(shop, row) -> str:  # noqa: F811
    path = "payment_methods/pm_card_mastercard/attach"
    return str(ask(shop, path, customer=row.provider_customer_id)["id"])


def test_cards_are_listed_chosen_and_removed(shop, paying, api, globex):  # noqa: F811
    client = api(globex)
    other = second_card(shop, paying)
    listed = {one["name"]: one for one in client.get("/api/v1/payment-methods")["results"]}
    assert {name: one["is_default"] for name, one in listed.items()} == {
        "visa 4242": True,
        "mastercard 4444": False,
    }
    assert listed["visa 4242"]["expires_on"] == "2040-12"
    visa = listed["visa 4242"]["id"]

    refused = client.post("/api/v1/payment-methods/remove", {"id": visa}, status=409)
    chosen = client.post("/api/v1/payment-methods/default", {"id": other}, status=200)
    left = client.post("/api/v1/payment-methods/remove", {"id": visa}, status=200)

    assert refused["code"] == "payment_method_in_use"
    assert {one["id"]: one["is_default"] for one in chosen["results"]} == {visa: False, other: True}
    assert [one["id"] for one in left["results"]] == [other]


def test_another_tenants_card_is_nobodys(shop, paying, api, acme, globex):  # noqa: F811
    other = second_card(shop, paying)
    for path in ("default", "remove"):
        answer = api(acme).post(f"/api/v1/payment-methods/{path}", {"id": other}, status=404)
        assert answer["code"] == "not_found"
    strange = {"id": "pm_nobodys"}
    assert api(globex).post("/api/v1/payment-methods/default", strange, status=404)
    assert api(acme).get("/api/v1/payment-methods") == {"results": []}


def test_only_who_pays_sees_by_what(shop, paying, api, globex):  # noqa: F811
    for role, status in (("editor", 403), ("read_only", 403), ("billing", 200)):
        client = api(globex, role=role)
        client.get("/api/v1/payment-methods", status=status)
