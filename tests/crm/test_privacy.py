"""Requests of a law: deadlines as the law counts them, and what was asked for is done in every table."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from apps.crm.models import Consent, Contact, Import, ImportRow, ImportRowError, PrivacyRequest
from apps.crm.services.privacy import reminding
from apps.crm.services.privacy.laws import TERMS
from apps.crm.tasks import enforce_retention, remind_of_privacy_requests
from config.ids import new_id
from tenants.isolation import square_context, tenant_context
from tenants.models import Mail, TrailPending
from tests import factories
from tests.client import member_of

pytestmark = pytest.mark.django_db
PATH = "/api/v1/privacy-requests"
EMAIL, PHONE = "ada@engines.test", "+5215512345678"


def test_deadlines_are_counted_as_each_law_counts_them():
    told = [
        ("gdpr", "access", date(2026, 1, 31), date(2026, 2, 28), date(2026, 4, 30)),
        ("gdpr", "erase", date(2027, 12, 31), date(2028, 1, 31), date(2028, 3, 31)),
        ("gdpr", "access", date(2028, 1, 30), date(2028, 2, 29), date(2028, 4, 30)),
        ("ccpa", "erase", date(2026, 11, 28), date(2027, 1, 12), date(2027, 2, 26)),
        ("ccpa", "do_not_sell", date(2026, 11, 27), date(2026, 12, 18), date(2026, 12, 18)),
        ("ccpa", "restrict", date(2026, 11, 28), date(2026, 12, 18), date(2026, 12, 18)),
        ("pipeda", "access", date(2026, 2, 1), date(2026, 3, 3), date(2026, 4, 2)),
    ]
    assert [
        (TERMS[law, kind].due_on(day), TERMS[law, kind].due_on(day, is_extended=True))
        for law, kind, day, *_ in told
    ] == [(due, extended) for *_, due, extended in told]
    assert ("gdpr", "do_not_sell") not in TERMS
    assert ("pipeda", "portability") not in TERMS


@pytest.fixture
def ada(acme) -> Contact:
    """A contact with an order, a consent, a waiting row and a refused one; and a neighbour with the same."""
    with tenant_context(acme):
        found = {}
        for name, email in (("ada", EMAIL), ("bob", "bob@engines.test")):
            contact = factories.ContactFactory(
                first_name=name, email=email, phone=PHONE if name == "ada" else None
            )
            factories.OrderFactory(contact=contact)
            factories.ConsentFactory(contact=contact)
            job = factories.ImportFactory(rows_total=2, rows_failed=1)
            factories.ImportRowFactory(job=job, email=email, raw=[email])
            factories.ImportRowErrorFactory(job=job, raw=[email.upper(), "x"])
            found[name] = contact
    made: Contact = found["ada"]
    return made


def test_an_erasure_leaves_nothing_of_the_person_in_any_table_and_everything_of_others(
    acme, api, ada
):
    client = api(acme)
    data = client.get(f"/api/v1/contacts/{ada.pk}/personal-data")
    assert (data["contact"]["email"], data["waiting_rows"]) == (EMAIL, [[EMAIL]])
    assert [len(data[name]) for name in ("orders", "consents")] == [1, 1]

    asked = client.post(PATH, {"law": "gdpr", "kind": "erase", "subject": EMAIL, "note": PHONE})
    refused = client.post(f"{PATH}/{asked['id']}/complete", status=409)
    assert refused["code"] == "privacy_request_names_nobody"
    client.patch(f"{PATH}/{asked['id']}", {"contact": str(ada.pk)})
    done = client.post(f"{PATH}/{asked['id']}/complete", status=200)

    assert done["erased"] == {
        "contacts": 1, "orders": 1, "consents": 1, "notes": 0, "tasks": 0, "waiting_rows": 1, "refused_rows": 1,
        "privacy_requests": 1,
    }  # fmt: skip
    assert (done["status"], done["subject"], done["note"]) == ("completed", "", "")
    everything = dump(acme)
    for trace in (EMAIL, PHONE, EMAIL.upper()):
        assert trace not in everything
    assert everything.count("bob@engines.test") == 4  # contact and its search, row and its cells
    assert everything.count("BOB@ENGINES.TEST") == 1
    with tenant_context(acme):
        assert sorted(Import.objects.values_list("rows_total", flat=True)) == [1, 2]
        assert ImportRow.objects.count() == 1
        assert ImportRowError.objects.filter(raw=[]).count() == 1
    client.post(f"{PATH}/{asked['id']}/complete", status=409)
    client.get(f"/api/v1/contacts/{ada.pk}", status=404)
    client.delete(f"/api/v1/contacts/{ada.pk}/personal-data", status=404)
    acts = TrailPending.objects.filter(tenant_id=acme.pk).values_list("body__action", flat=True)
    assert sorted(act for act in acts if act.startswith(("privacy", "personal"))) == [
        "personal_data.erased", "personal_data.exported", "privacy_request.closed",
        "privacy_request.taken",
    ]  # fmt: skip


def dump(tenant) -> str:
    """Every row of a tenant's schema as text."""
    with tenant_context(tenant), connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"
        )
        rows = []
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            rows += [row[0] for row in cursor.fetchall()]
    return "\n".join(rows)


def test_do_not_sell_and_restrict_withdraw_consent_on_every_channel(acme, api, ada):
    client = api(acme)
    for law, kind, count in (("ccpa", "do_not_sell", 5), ("gdpr", "restrict", 15)):
        wish = {"law": law, "kind": kind, "contact": str(ada.pk)}
        asked = client.post(PATH, wish)
        assert client.post(f"{PATH}/{asked['id']}/complete", status=200)["withdrawn"] == count
    current = client.get(f"/api/v1/contacts/{ada.pk}/consents?current=true&limit=200")["results"]
    assert {word["status"] for word in current} == {Consent.Status.WITHDRAWN}
    assert {word["purpose"] for word in current} == {"marketing", "profiling", "sale"}
    assert {word["proof"].split()[0] for word in current} == {"privacy"}


def test_a_request_is_extended_once_refused_with_a_reason_and_asked_for_by_its_law(acme, api, ada):
    client = api(acme)
    wrong = [
        ({"law": "gdpr", "kind": "do_not_sell"}, "kind"),
        ({"law": "gdpr", "kind": "access", "received_on": "2999-01-01"}, "received_on"),
        ({"law": "gdpr", "kind": "access", "contact": str(new_id())}, "contact"),
        ({"law": "lgpd", "kind": "access"}, "law"),
    ]
    for wish, field in wrong:
        assert [*client.post(PATH, wish, status=400)["errors"]] == [field]
    asked = client.post(PATH, {"law": "gdpr", "kind": "access", "received_on": "2026-01-31"})
    assert asked["due_on"] == "2026-02-28"
    path = f"{PATH}/{asked['id']}"
    assert client.post(f"{path}/extend", {"reason": "Many"}, status=200)["due_on"] == "2026-04-30"
    assert client.post(f"{path}/extend", {"reason": "More"}, status=409)["due_on"] == "2026-04-30"
    assert [*client.post(f"{path}/refuse", {"reason": ""}, status=400)["errors"]] == ["reason"]
    refused = client.post(f"{path}/refuse", {"reason": "No proof of who asks"}, status=200)
    assert (refused["status"], refused["outcome"]) == ("refused", "No proof of who asks")
    assert [row["id"] for row in client.get(f"{PATH}?status=refused")["results"]] == [asked["id"]]
    assert client.get(f"{PATH}?status=open")["results"] == []
    for role in ("billing", "editor", "member", "read_only"):
        api(acme, role).get(PATH, status=403)
        api(acme, role).get(f"/api/v1/contacts/{ada.pk}/personal-data", status=403)


def test_owners_are_reminded_once_for_each_step_until_it_is_answered(acme):
    member_of(acme)
    today = datetime.now(UTC).date()
    with tenant_context(acme):
        for days in (30, 7, 1, -1):
            factories.PrivacyRequestFactory(due_on=today + timedelta(days=days))
        steps = [each.step for each in reminding.due_soon(today=today)]
    assert steps == ["late", "1", "7"]
    with square_context():
        assert [remind_of_privacy_requests(), remind_of_privacy_requests()] == [3, 0]
        assert Mail.objects.filter(kind="privacy_request_due").count() == 3
    with tenant_context(acme):
        PrivacyRequest.objects.update(status="refused", outcome="No", closed_at=datetime.now(UTC))
        assert reminding.due_soon(today=today + timedelta(days=5)) == []


def test_each_class_of_data_goes_after_its_period_and_the_dry_run_tells_what(acme, api, ada):
    now = datetime.now(UTC)
    client = api(acme)
    with tenant_context(acme):
        Contact.objects.filter(pk=ada.pk).update(archived_at=now - timedelta(days=40))
        ImportRow.objects.all().delete()
        jobs = Import.objects.order_by("pk")
        for job, days in zip(jobs, (89, 91), strict=True):
            finished = now - timedelta(days=days)
            Import.objects.filter(pk=job.pk).update(status="failed", finished_at=finished)
        closed = {"status": "completed", "subject": "bob@engines.test"}
        closed |= {"outcome": "Told Bob"}
        for days, contact_id in ((1_090, ada.pk), (1_100, None)):
            factories.PrivacyRequestFactory(
                closed_at=now - timedelta(days=days), contact_id=contact_id, **closed
            )

    def told() -> dict[str, int]:
        return {row["data_class"]: row["due"] for row in client.get("/api/v1/retention")["results"]}

    expected = {"archived_contacts": 0, "closed_privacy_requests": 1, "refused_import_rows": 1}
    assert told() == expected
    wishes: list[tuple[Any, int]] = [(29, 400), (0, 400), ("x", 400), (30, 200)]
    for wish, status in wishes:
        client.put("/api/v1/retention/archived_contacts", {"days": wish}, status=status)
    client.put("/api/v1/retention/nothing", {"days": 30}, status=404)
    assert told() == expected | {"archived_contacts": 1}
    with square_context():
        assert [enforce_retention(), enforce_retention()] == [3, 0]
    assert told() == dict.fromkeys(expected, 0)
    with tenant_context(acme):
        assert list(Contact.objects.values_list("first_name", flat=True)) == ["bob"]
        assert ImportRowError.objects.count() == 1
        assert set(PrivacyRequest.objects.values_list("subject", "outcome")) == {("", "access")}
