"""`/usage/forecast` and `/usage/alerts`."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.needs import Meter
from quotas.models import UsageDay, UsageTotal

pytestmark = pytest.mark.django_db
DEFAULTS = {
    "by_mail": True, "by_webhook": True, "percents": [50, 80, 90, 100], "extra_percents": [],
    "roles": ["owner", "billing"], "quiet_hours": 48,
}  # fmt: skip


def growing(tenant, *, known: int, daily: int) -> None:
    """A lifetime meter that takes `daily` contacts a day."""
    today = datetime.now(UTC).date()
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    for ago in range(known, -1, -1):
        UsageDay.objects.create(
            tenant_id=tenant.pk, meter="contacts", day=today - timedelta(days=ago + 1),
            period_start=epoch, used=daily * (known - ago),
        )  # fmt: skip
    UsageTotal.objects.create(
        tenant_id=tenant.pk, meter="contacts", period_start=epoch, used=daily * known
    )


def of_contacts(answer):
    return next(row for row in answer["meters"] if row["meter"] == "contacts")


def test_the_forecast_names_the_day_and_its_interval(acme, api):
    growing(acme, known=28, daily=1_000)

    answer = api(acme).get("/api/v1/usage/forecast")

    day = (datetime.now(UTC) + timedelta(days=21, hours=23)).date().isoformat()
    found = of_contacts(answer)
    assert [row["meter"] for row in answer["meters"]] == [meter.value for meter in Meter]
    assert (found["limit"], found["used"], found["days_known"]) == (50_000, 28_000, 28)
    runs_out = found["forecast"]["runs_out_on"]
    assert abs((datetime.fromisoformat(runs_out) - datetime.fromisoformat(day)).days) <= 1
    assert found["forecast"] | {"expected_at_end": None, "low_at_end": None} == found["forecast"]


def test_below_fourteen_days_it_says_nothing(acme, api):
    growing(acme, known=13, daily=1_000)
    found = of_contacts(api(acme).get("/api/v1/usage/forecast"))
    assert (found["days_known"], found["forecast"]) == (13, None)


def test_another_tenants_days_are_not_read(acme, globex, api):
    growing(globex, known=28, daily=100)
    assert of_contacts(api(acme).get("/api/v1/usage/forecast"))["days_known"] == 0


@pytest.mark.parametrize("known", [1, 28])
@pytest.mark.parametrize(("path", "queries"), [("usage/forecast", 4), ("usage/alerts", 1)])
def test_they_ask_a_fixed_number_of_times(acme, api, known, path, queries):
    growing(acme, known=known, daily=10)
    client = api(acme)
    with CaptureQueriesContext(connection) as asked:
        client.get(f"/api/v1/{path}")
    ours = [query["sql"] for query in asked.captured_queries if "quotas_" in query["sql"]]
    assert len(ours) == queries


def test_settings_begin_with_the_defaults_and_keep_what_is_not_named(acme, api):
    client = api(acme)
    assert of_contacts(client.get("/api/v1/usage/alerts")) == {"meter": "contacts", **DEFAULTS}

    client.put("/api/v1/usage/alerts/contacts", {"extra_percents": [75, 25, 75], "by_mail": False})
    answer = client.put("/api/v1/usage/alerts/contacts", {"roles": ["admin"], "quiet_hours": 0})

    assert answer == {
        "meter": "contacts", "by_mail": False, "by_webhook": True, "roles": ["admin"],
        "percents": [25, 50, 75, 80, 90, 100], "extra_percents": [25, 75], "quiet_hours": 0,
    }  # fmt: skip
    assert of_contacts(client.get("/api/v1/usage/alerts")) == answer
    assert client.get("/api/v1/usage/alerts")["meters"][0] == {"meter": "api_calls", **DEFAULTS}


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"extra_percents": [0]}, "extra_percents"),
        ({"extra_percents": [100]}, "extra_percents"),
        ({"extra_percents": list(range(1, 12))}, "extra_percents"),
        ({"roles": ["operator"]}, "roles"),
        ({"quiet_hours": -1}, "quiet_hours"),
        ({"emails": ["x@y.test"]}, "emails"),
    ],
)
def test_a_wrong_setting_is_refused_by_field(acme, api, wish, field):
    answer = api(acme).put("/api/v1/usage/alerts/contacts", wish, status=400)
    assert [*answer["errors"]] == [field]


def test_an_unknown_meter_is_not_there_and_only_money_people_change(acme, globex, api):
    assert api(acme).put("/api/v1/usage/alerts/wishes", {}, status=404)["code"] == "not_found"
    path = "/api/v1/usage/alerts/contacts"
    assert api(acme, role="editor").put(path, {}, status=403)["code"] == "permission_denied"
    api(acme, role="billing").put(path, {"by_mail": False})
    assert of_contacts(api(globex).get("/api/v1/usage/alerts")) == {
        "meter": "contacts", **DEFAULTS
    }  # fmt: skip
