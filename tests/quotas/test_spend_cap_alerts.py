"""80 and 100 % of a spend cap are told once in a period, by mail and webhook."""

from datetime import datetime, timedelta

import pytest
from django.core import mail

from config.needs import Meter
from quotas.caps.evaluating import evaluate_spend
from quotas.caps.services import cap_spending
from quotas.caps.weights import Bend, Weight
from quotas.merging import Cap
from quotas.models import UsageAlert
from tenants.mails.posting import send
from tenants.models import Mail, Tenant
from tests.client import member_of
from tests.quotas.capped import ONES, weigh
from tests.quotas.conftest import NOON
from tests.quotas.test_alerts import events, promised
from tests.quotas.test_ledger import take

pytestmark = pytest.mark.django_db
DECEMBER = datetime.fromisoformat("2026-12-21T12:00:00+00:00")


def look(tenant: Tenant, now: datetime = NOON) -> list[int]:
    return evaluate_spend(tenant_id=tenant.pk, at=now, now=now)


def test_a_writer_promises_a_look_when_it_crosses_and_only_then(tenant: Tenant) -> None:
    weigh(tenant.pk, {"emails": ONES}, cap=100, emails=50)
    seen = []
    for key, quantity in enumerate((50, 79, 1, 19, 1)):
        take(tenant.pk, f"k{key}", quantity, Meter.EMAILS)
        seen.append(len(promised("quotas.evaluate_spend")) - 1)  # the cap's own
    assert seen == [0, 0, 1, 1, 2]
    assert promised("quotas.evaluate_spend")[0] == {
        "tenant_id": str(tenant.pk), "period": "2026-11-01T00:00:00+00:00",
    }  # fmt: skip


def test_each_is_told_once_in_a_period_and_anew_in_the_next(tenant: Tenant) -> None:
    for role in ("owner", "billing", "editor"):
        member_of(tenant, role)
    weigh(tenant.pk, {"emails": ONES}, cap=10, emails=0)
    told = []
    for month, now in enumerate((NOON, DECEMBER)):
        for key, quantity in enumerate((7, 1, 2)):
            take(tenant.pk, f"{month}.{key}", quantity, Meter.EMAILS, now)
            told.append([look(tenant, now), look(tenant, now)])
    assert told == [[[], []], [[80], []], [[100], []]] * 2
    assert [(name, data["percent"], data["spent"], data["stopped"]) for name, data in events()][:2] == [
        ("spend_cap.reached", 80, {"amount": 8, "currency": "USD"}, []),
        ("spend_cap.reached", 100, {"amount": 10, "currency": "USD"}, ["emails"]),
    ]  # fmt: skip
    assert Mail.objects.count() == 2 * 2 * 2


def test_a_rest_that_pays_for_nothing_more_is_the_cap_reached(tenant: Tenant) -> None:
    weigh(tenant.pk, {"sms": Weight((Bend(0, 0, 4),)), "emails": ONES}, cap=10, sms=0, emails=9)
    take(tenant.pk, "sms", 2, Meter.SMS)
    assert look(tenant) == [100]
    assert events()[-1][1] | {"stopped": ["sms"], "percent": 100} == events()[-1][1]
    rows = UsageAlert.objects.order_by("percent").values_list("meter", "percent", "is_told", "used")
    assert list(rows) == [("spend_cap", 80, False, 8), ("spend_cap", 100, True, 8)]


def test_a_raised_cap_tells_what_lies_above_and_a_lowered_one_is_looked_at(tenant: Tenant) -> None:
    weigh(tenant.pk, {"emails": ONES}, cap=10, emails=0)
    take(tenant.pk, "a", 10, Meter.EMAILS)
    assert look(tenant) == [100]
    cap_spending(tenant_id=tenant.pk, cap=Cap(20, "USD"), by="", now=NOON)
    assert look(tenant) == []
    take(tenant.pk, "b", 6, Meter.EMAILS)
    assert look(tenant) == [80]
    cap_spending(tenant_id=tenant.pk, cap=Cap(5, "USD"), by="", now=NOON)
    assert (len(promised("quotas.evaluate_spend")) >= 3, look(tenant)) == (True, [])


def test_near_the_end_of_a_period_only_the_cap_itself_is_told(tenant: Tenant) -> None:
    end = datetime.fromisoformat("2026-12-01T00:00:00+00:00") - timedelta(hours=47)
    weigh(tenant.pk, {"emails": ONES}, cap=10, emails=0)
    take(tenant.pk, "a", 8, Meter.EMAILS, end)
    assert look(tenant, end) == []
    take(tenant.pk, "b", 2, Meter.EMAILS, end)
    assert look(tenant, end) == [100]


def test_the_mail_tells_money_in_the_readers_language(tenant: Tenant) -> None:
    person = member_of(tenant).person
    person.locale = "es"
    person.save()
    weigh(tenant.pk, {"emails": Weight((Bend(0, 0, 123_456),))}, cap=123_456, emails=0)
    take(tenant.pk, "a", 1, Meter.EMAILS)
    look(tenant)
    send(mail_id=Mail.objects.get().pk, now=NOON)
    [letter] = mail.outbox
    assert letter.subject == "Stall ha alcanzado su tope de gasto"
    assert "USD 1 234,56 de USD 1 234,56" in letter.body.replace("\N{NO-BREAK SPACE}", " ")
    assert "correos" in letter.body
