"""An operator's overrides: a meter, a limit, a last day and a reason; and their end."""

from datetime import UTC, datetime, time, timedelta

from config.needs import Meter
from quotas.entitlements import snapshot
from quotas.models import Grant
from tests.console.doors import page_of


def wish(**more: str) -> dict[str, str]:
    last = (datetime.now(UTC) + timedelta(days=3)).date().isoformat()
    return {"meter": "emails", "limit": "7", "last_day": last, "reason": "A launch."} | more


def test_an_override_holds_at_once_and_until_its_last_day_is_over(operator, globex, now):
    operator.post(f"{page_of(globex)}/override/", wish(), status=302)

    end = datetime.combine((now + timedelta(days=4)).date(), time(), UTC)
    row = Grant.objects.get(tenant_id=globex.pk, source="override:emails")
    assert snapshot(globex.pk, now=now).limit(Meter.EMAILS) == 7
    assert (row.expires_at, row.reason, row.priority) == (end, "A launch.", 100)
    operator.get(f"{page_of(globex)}/change/")
    assert "override:emails" in operator.text
    assert "A launch." in operator.text


def test_an_override_needs_a_day_to_come_and_a_reason(operator, globex, now):
    for more in (
        {"reason": " "},
        {"last_day": ""},
        {"last_day": "2020-01-01"},
        {"meter": "unicorns"},
    ):
        operator.post(f"{page_of(globex)}/override/", wish(**more))

    assert not Grant.objects.filter(tenant_id=globex.pk, source__startswith="override").exists()


def test_an_override_left_empty_is_unlimited_and_can_be_ended(operator, globex, now):
    operator.post(f"{page_of(globex)}/override/", wish(limit=""), status=302)
    assert snapshot(globex.pk, now=now).limit(Meter.EMAILS) is None

    ended = {"key": "emails", "reason": "It is over."}
    operator.post(f"{page_of(globex)}/end-override/", ended, status=302)

    assert snapshot(globex.pk, now=now).limit(Meter.EMAILS) == 25_000
    operator.post(f"{page_of(globex)}/end-override/", ended)
