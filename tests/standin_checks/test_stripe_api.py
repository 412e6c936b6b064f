"""Who may ask, what is remembered, how refusals look."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
import requests
import stripe

from tests.standin_checks.conftest import API_KEY
from tests.standins.stripe import StripeStandin

Control = Callable[..., Any]


def _post(standin: StripeStandin, path: str, key: str = "", **form: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {API_KEY}"}
    if key:
        headers["Idempotency-Key"] = key
    return requests.post(f"{standin.url}{path}", data=form, headers=headers, timeout=10)


def test_without_a_key_and_with_a_live_key_the_answer_is_401(standin: StripeStandin) -> None:
    nobody = requests.get(f"{standin.url}/v1/customers", timeout=5)
    live = requests.get(
        f"{standin.url}/v1/customers", headers={"Authorization": "Bearer sk_live_x"}, timeout=5
    )
    basic = requests.get(f"{standin.url}/v1/customers", auth=(API_KEY, ""), timeout=5)

    assert [one.status_code for one in (nobody, live, basic)] == [401, 401, 200]


@pytest.mark.parametrize(
    ("path", "form", "status", "code", "param"),
    [
        ("/v1/prices", {"currency": "usd"}, 400, "parameter_missing", "product"),
        ("/v1/products", {"name": "x", "colour": "red"}, 400, "parameter_unknown", "colour"),
        ("/v1/customers/cus_none", {"name": "x"}, 404, "resource_missing", "id"),
        ("/v1/subscriptions", {"customer": "cus_none"}, 400, "resource_missing", "customer"),
        ("/v1/nothing", {}, 404, None, None),
    ],
)
def test_refusals_have_stripes_shape(
    standin: StripeStandin,
    path: str,
    form: dict[str, str],
    status: int,
    code: str | None,
    param: str | None,
) -> None:
    answer = _post(standin, path, **form)

    error = answer.json()["error"]
    assert (answer.status_code, error["type"]) == (status, "invalid_request_error")
    assert (error.get("code"), error.get("param")) == (code, param)


def test_the_same_key_and_parameters_get_the_same_answer_and_one_customer(
    standin: StripeStandin, client: stripe.StripeClient
) -> None:
    first = _post(standin, "/v1/customers", "key-1", email="a@acme.test")
    again = _post(standin, "/v1/customers", "key-1", email="a@acme.test")
    other = _post(standin, "/v1/customers", "key-1", email="b@acme.test")

    assert again.content == first.content
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (other.status_code, other.json()["error"]["type"]) == (400, "idempotency_error")
    assert len(client.v1.customers.list().data) == 1


def test_a_refused_request_does_not_use_up_its_key(standin: StripeStandin) -> None:
    refused = _post(standin, "/v1/products", "key-2")
    mended = _post(standin, "/v1/products", "key-2", name="Growth")

    assert (refused.status_code, mended.status_code) == (400, 200)


def test_a_concurrent_twin_gets_409(standin: StripeStandin, control: Control) -> None:
    control("faults", kind="latency", seconds=0.0)
    answers: list[int] = []
    begun = threading.Barrier(8)

    def ask() -> None:
        begun.wait()
        answers.append(_post(standin, "/v1/customers", "key-3", email="a@acme.test").status_code)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    with standin.store.lock:  # nobody gets further than the claim of the key
        for thread in threads:
            thread.start()
        while sum(answer == 409 for answer in answers) < 7:
            threading.Event().wait(0.01)
    for thread in threads:
        thread.join()

    assert sorted(answers) == [200] + [409] * 7


def test_a_lost_answer_is_repeated_by_the_sdk_and_the_work_done_once(
    standin: StripeStandin, control: Control
) -> None:
    control("faults", kind="lost_answer", path="/v1/customers")
    client = stripe.StripeClient(
        API_KEY, base_addresses={"api": standin.url}, max_network_retries=2
    )

    made = client.v1.customers.create({"email": "a@acme.test"})

    assert [one.id for one in client.v1.customers.list().data] == [made.id]


def test_an_injected_error_does_nothing_and_ends(
    standin: StripeStandin, client: stripe.StripeClient, control: Control
) -> None:
    control("faults", kind="error", status=503, times=2)

    for _ in range(2):
        with pytest.raises(stripe.APIError):
            client.v1.customers.create({"email": "a@acme.test"})
    client.v1.customers.create({"email": "a@acme.test"})

    assert len(client.v1.customers.list().data) == 1


def test_lists_are_newest_first_in_pages(client: stripe.StripeClient) -> None:
    made = [client.v1.customers.create({"email": f"{n}@acme.test"}).id for n in range(5)]

    first = client.v1.customers.list({"limit": 2})
    second = client.v1.customers.list({"limit": 2, "starting_after": first.data[-1].id})
    everyone = [one.id for one in client.v1.customers.list({"limit": 2}).auto_paging_iter()]

    assert [one.id for one in first.data] == made[:2:-1]
    assert (first.has_more, [one.id for one in second.data]) == (True, made[2:0:-1])
    assert everyone == made[::-1]


def test_metadata_is_merged_and_an_empty_value_takes_a_key_away(
    client: stripe.StripeClient,
) -> None:
    made = client.v1.customers.create({"metadata": {"a": "1", "b": "2"}})

    changed = client.v1.customers.update(made.id, {"metadata": {"a": "", "c": "3"}})

    assert changed.metadata is not None
    assert changed.metadata.to_dict() == {"b": "2", "c": "3"}


def test_expand_shows_the_object_and_refuses_what_is_none(client: stripe.StripeClient) -> None:
    product = client.v1.products.create({"name": "Growth"})
    price = client.v1.prices.create(
        {"product": product.id, "currency": "usd", "unit_amount": 1, "expand": ["product"]}
    )

    assert isinstance(price.product, stripe.Product)
    assert price.product.name == "Growth"
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        client.v1.prices.retrieve(price.id, {"expand": ["nickname_of"]})


def test_a_lookup_key_moves_to_another_price_only_when_told(client: stripe.StripeClient) -> None:
    product = client.v1.products.create({"name": "Growth"}).id
    wish: Any = {"product": product, "currency": "usd", "unit_amount": 1, "lookup_key": "growth"}
    first = client.v1.prices.create(wish)

    with pytest.raises(stripe.InvalidRequestError, match="already uses that lookup key"):
        client.v1.prices.create(wish)
    wish["transfer_lookup_key"] = True
    second = client.v1.prices.create(wish)

    found = client.v1.prices.list({"lookup_keys": ["growth"]}).data
    assert [one.id for one in found] == [second.id]
    assert client.v1.prices.retrieve(first.id).lookup_key is None


def test_what_is_known_survives_a_restart(tmp_path: Any) -> None:
    with StripeStandin(home=tmp_path) as before:
        client = stripe.StripeClient(API_KEY, base_addresses={"api": before.url})
        made = client.v1.customers.create(
            {"email": "a@acme.test"}, {"idempotency_key": "over-restarts"}
        )
    with StripeStandin(home=tmp_path) as after:
        client = stripe.StripeClient(API_KEY, base_addresses={"api": after.url})
        again = client.v1.customers.create(
            {"email": "a@acme.test"}, {"idempotency_key": "over-restarts"}
        )
        assert (again.id, len(client.v1.customers.list().data)) == (made.id, 1)


def test_a_reset_forgets_everything_but_plazas_endpoint(
    client: stripe.StripeClient, control: Control
) -> None:
    client.v1.customers.create({"email": "a@acme.test"})

    control("reset")

    assert client.v1.customers.list().data == []
    assert len(client.v1.webhook_endpoints.list().data) == 1
