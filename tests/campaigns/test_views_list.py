from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tenants.isolation import tenant_context
from tests.campaigns.asking import URL, made
from tests.factories_campaigns import CampaignFactory


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_asks_for_campaigns_once_whatever_their_number(acme, api, rows):
    with tenant_context(acme):
        CampaignFactory.create_batch(rows)
    client = api(acme)

    with CaptureQueriesContext(connection) as asked:
        answer = client.get(URL)

    assert len(answer["results"]) == rows
    assert sum("campaigns_campaign" in query["sql"] for query in asked) == 1


def test_the_list_shows_only_this_tenants_campaigns_the_newest_first(acme, globex, api):
    first, second = made(acme), made(acme)
    made(globex)

    answer = api(acme).get(URL)

    assert [each["id"] for each in answer["results"]] == [str(second.pk), str(first.pk)]
    assert (answer["next"], answer["previous"]) == (None, None)


def test_pages_by_cursor_show_each_campaign_once(acme, api):
    rows = [made(acme, name=f"c{number}") for number in range(5)]
    client = api(acme)
    seen, address = [], f"{URL}?limit=2&ordering=name"

    while address:
        page = client.get(address)
        seen += [each["id"] for each in page["results"]]
        address = page["next"]

    assert seen == [str(row.pk) for row in rows]


def test_filters_narrow_the_list(acme, api):
    old = made(
        acme, name="Campaña de otoño", type="sms", status="paused",
        created_at=datetime(2020, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    new = made(acme, name="Spring", created_at=datetime(2026, 1, 1, tzinfo=UTC))
    client = api(acme)

    def ids(query):
        return [each["id"] for each in client.get(f"{URL}?{query}")["results"]]

    assert ids("status=paused") == [str(old.pk)]
    assert ids("type=sms") == [str(old.pk)]
    assert ids("status=paused&type=email") == []
    assert ids("created_at__gte=2026-01-01T00:00:00Z") == [str(new.pk)]
    assert ids("created_at__lt=2026-01-01T00:00:00Z") == [str(old.pk)]
    assert ids("search=CAMPANA") == [str(old.pk)]
    assert ids("search=o") == [str(old.pk)]
    assert ids("search=%25") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=running", "status"),
        ("type=fax", "type"),
        ("created_at__gte=soon", "created_at__gte"),
        ("stauts=draft", "stauts"),
        ("search=%00", "search"),
        (f"search={'s' * 201}", "search"),
        ("ordering=budget_minor", "ordering"),
        ("ordering=created_by_id__x", "ordering"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
    ],
)
def test_a_filter_that_is_none_is_refused_by_name(acme, api, query, field):
    answer = api(acme).get(f"{URL}?{query}", status=400)

    assert (answer["code"], list(answer["errors"])) == ("validation_failed", [field])
