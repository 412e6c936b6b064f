"""Who used what: the ledger is told without anybody's doing, and the shares sum to the whole."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.crm.models import Contact
from billing.books.costing import allocated, shared
from config.cause import NOBODY, Cause, app_of, cause, cause_as_json, cause_of, caused_by
from config.celery import app as celery_app
from config.celery import later
from config.models import OutboxMessage
from config.needs import Meter
from quotas import callers, ledger
from quotas.models import ApiCallShare, UsageEvent
from tenants.isolation import square_context, tenant_context
from tenants.tasks import TenantTask
from tests.billing.test_invoices_http import full
from tests.client import Api
from tests.factories import UsageEventFactory, UsageTotalFactory

pytestmark = pytest.mark.django_db
MONTH, NEXT = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
SUMMER = UUID("01900000-0000-7000-8000-000000005a5a")


def stamps(tenant):
    rows = UsageEvent.objects.filter(tenant_id=tenant.pk).exclude(meter="seats").order_by("id")
    return [
        (row.meter, row.app, *(str(each) if each else None for each in ids))
        for row in rows
        for ids in [(row.member_id, row.api_key_id, row.campaign_id)]
    ]


def test_what_is_used_says_the_app_the_member_the_key_and_the_campaign(acme, api):
    owner = api(acme)
    key = owner.post("/api/v1/api-keys", {"name": "Shop", "scopes": ["read", "write"]})
    program = Api(acme, {"Authorization": f"Api-Key {key['key']}"})

    owner.post("/api/v1/contacts", {"email": "ana@x.test"})
    program.post("/api/v1/contacts", {"email": "bea@x.test"})
    event = {"key": "mail-1", "meter": "emails", "occurred_at": datetime.now(UTC).isoformat()}
    program.post("/api/v1/usage-events", event)
    money = {"amount": 100, "currency": "USD"}
    wish = {"name": "Summer", "type": "email", "budget": money}
    campaign = owner.post("/api/v1/campaigns", wish)

    me = str(owner.member.pk)
    assert stamps(acme) == [
        ("contacts", "crm", me, None, None),
        ("contacts", "crm", None, key["id"], None),
        ("emails", "quotas", None, key["id"], None),
        ("campaigns", "campaigns", me, None, campaign["id"]),
    ]
    with square_context():
        callers.flush(now=datetime.now(UTC))
    calls = {row.caller: row.calls for row in ApiCallShare.objects.filter(app="crm")}
    assert calls == {f"member:{me}": 1, f"api_key:{key['id']}": 1}


def test_a_task_works_for_who_asked_for_it_in_its_own_app(acme):
    asked = Cause("portal", member=SUMMER)
    with tenant_context(acme), caused_by(asked):
        later("crm.import_contacts", import_id="x")
    told = OutboxMessage.objects.get(task="crm.import_contacts").headers["plaza_cause"]
    assert cause_of(told) == asked

    seen: list[Cause] = []

    @celery_app.task(name="crm.probe_cause", base=TenantTask)
    def probe(campaign_id: str) -> None:
        seen.append(cause())

    with tenant_context(acme), caused_by(cause_of(told)):
        probe(campaign_id=str(SUMMER))
    del celery_app.tasks["crm.probe_cause"]
    assert seen == [Cause("crm", member=SUMMER, campaign=SUMMER)]
    assert (cause(), cause_as_json(), cause_of("{nonsense")) == (NOBODY, None, NOBODY)
    assert [app_of(name) for name in ("apps.crm.views", "billing.views.seats", "crm.x")] == [
        "crm", "billing", "crm",
    ]  # fmt: skip


def test_to_stamp_costs_no_statement(acme, now):
    def statements(key: str) -> int:
        with CaptureQueriesContext(connection) as caught:
            ledger.consume(tenant_id=acme.pk, meter=Meter.CONTACTS, quantity=1, key=key, now=now)
        return len(caught)

    with tenant_context(acme):
        statements("warm")
        without = statements("a")
        with caused_by(Cause("crm", member=SUMMER)):
            assert statements("b") == without
        assert Contact.objects.count() == 0


def test_shares_sum_to_the_whole_by_largest_remainder():
    assert shared(100, {"a": 1, "b": 1, "c": 1}) == [("a", 34), ("b", 33), ("c", 33)]
    assert shared(-100, {"a": 1, "b": 1, "c": 1}) == [("a", -33), ("b", -33), ("c", -34)]
    assert shared(1, {"a": 5, "b": -2, "c": 4}) == [("a", 1), ("b", 0), ("c", 0)]
    assert shared(7, {"a": 3, "b": -3}) == [("a", 7), ("b", 0)]
    for whole in range(-50, 50):
        units = {label: 7 * whole + 3 * number**3 + 1 for number, label in enumerate("abcdefg")}
        assert sum(part for _label, part in shared(whole, units)) == whole


def test_what_changes_an_event_falls_to_whom_the_event_fell(acme, now):
    with tenant_context(acme), caused_by(Cause("crm", member=SUMMER)):
        taken = {"tenant_id": acme.pk, "meter": Meter.SMS, "quantity": 90, "now": now}
        ledger.consume(key="k", **taken)
    with tenant_context(acme):
        ledger.refund(key="k", **(taken | {"quantity": 30}))
    UsageTotalFactory(tenant_id=acme.pk, meter="api_calls", period_start=MONTH, used=10)
    ApiCallShare.objects.create(
        tenant_id=acme.pk, period_start=MONTH, app="crm", caller=f"member:{SUMMER}", calls=7
    )

    found = allocated(
        tenant_id=acme.pk,
        by="member",
        currency="USD",
        starts_at=MONTH,
        ends_at=now.replace(year=2099),
    )

    assert [(one.label, one.meter, one.units, one.cost.amount) for one in found] == [
        ("", "api_calls", 3, 0),
        (str(SUMMER), "api_calls", 7, 0),
        (str(SUMMER), "sms", 60, 47),
    ]


def test_a_tenant_sees_its_use_by_month_and_an_invoice_shared_out_to_the_cent(acme, api, now):
    client = api(acme, "billing")
    me = str(client.member.pk)
    for number, (member, units) in enumerate([(client.member.pk, 500), (SUMMER, 250), (None, 250)]):
        UsageEventFactory(
            tenant_id=acme.pk, meter="emails", period_start=MONTH, recorded_at=MONTH, occurred_at=MONTH,
            key=f"k{number}", quantity=units, member_id=member, app="crm",
        )  # fmt: skip
    invoice = full(acme, now)

    def told(**query: str) -> list[tuple[str, str, str, int, int | None]]:
        answer = client.get("/api/v1/costs", query)
        return [
            (
                one["who"],
                one["name"],
                one["meter"],
                one["units"],
                (one["amount"] or {}).get("amount"),
            )
            for one in answer["results"]
        ]

    name = client.member.person.name
    assert told(by="member", invoice=str(invoice.pk)) == [
        ("", "", "emails", 250, 30_863),
        ("", "", "sms", 0, 55),
        *sorted([(str(SUMMER), "", "emails", 250, 30_862), (me, name, "emails", 500, 61_725)]),
    ]
    assert told(by="app", month="2026-10") == [("crm", "", "emails", 1_000, None)]
    client.get("/api/v1/costs", {"by": "colour"}, status=400)
    api(acme, "member").get("/api/v1/costs?by=app", status=403)
