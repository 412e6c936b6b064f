"""Segments: whoever fits is in, as contacts, tags, orders, other segments and days change; and is told once."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.crm.models import Contact, Segment, SegmentChange, SegmentMember, Tag
from apps.crm.services.segments import refreshing, standing
from config.models import OutboxMessage
from tenants.isolation import square_context, tenant_context
from tests import factories

pytestmark = pytest.mark.django_db
SEGMENTS = "/api/v1/segments"
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.fixture
def people(acme) -> dict[str, str]:
    """Ada buys and is a VIP, Bob bought once, long ago, Cleo is archived, Dan has no address and no points."""
    with tenant_context(acme):
        ada = factories.ContactFactory(
            first_name="Ada", email="ada@x.test", fields={"points": 12, "born": "1990-02-03"}
        )
        bob = factories.ContactFactory(first_name="Bob", email="bob@y.test", fields={"points": "3"})
        cleo = factories.ContactFactory(first_name="Cleo", email="c@x.test", archived_at=NOW)
        dan = factories.ContactFactory(first_name="Dan", last_name="50%_off", email=None)
        factories.ContactTagFactory(contact=ada, tag=factories.TagFactory(name="VIP"))
        factories.ContactTagFactory(contact=cleo, tag=Tag.objects.get(name="VIP"))
        for day, currency in (("2026-11-01", "MXN"), ("2026-11-20", "MXN"), ("2026-11-20", "USD")):
            on = date.fromisoformat(day)
            factories.OrderFactory(contact=ada, ordered_on=on, currency=currency, amount_minor=500)
        factories.OrderFactory(contact=bob, ordered_on=date(2026, 10, 29))
        Contact.objects.filter(pk=bob.pk).update(created_at=NOW - timedelta(days=40))
    return {"Ada": str(ada.pk), "Bob": str(bob.pk), "Cleo": str(cleo.pk), "Dan": str(dan.pk)}


def leaf(field, op, value):
    return {"field": field, "op": op, "value": value}


def bought(op, value, **more):
    return {"orders": "count", "op": op, "value": value, **more}


def test_a_rule_finds_those_who_fit_and_its_opposite_all_others(acme, people):
    told = [
        (leaf("email", "contains", "@X."), "Ada"),
        (leaf("email", "starts_with", "BOB"), "Bob"),
        (leaf("email", "is_set", False), "Dan"),
        (leaf("email", "in", ["ADA@x.test", "bob@y.test"]), "Ada Bob"),
        (leaf("email", "ne", "ada@x.test"), "Bob Dan"),
        (leaf("last_name", "contains", "%_"), "Dan"),
        (leaf("first_name", "eq", "dan"), "Dan"),
        (leaf("company_id", "is_set", True), ""),
        (leaf("fields.points", "gte", 3), "Ada"),
        (leaf("fields.points", "eq", "3"), "Bob"),
        (leaf("fields.points", "ne", 12), "Bob Dan"),
        (leaf("fields.points", "is_set", True), "Ada Bob"),
        (leaf("fields.born", "lt", "1990-03"), "Ada"),
        (leaf("fields.born", "before_days", 365), "Ada"),
        (leaf("created_at", "before_days", 30), "Bob"),
        (leaf("created_at", "lt", "2026-11-01T00:00:00Z"), "Bob"),
        ({"tag": "vip"}, "Ada"),
        (bought("gte", 1), "Ada Bob"),
        (bought("eq", 0), "Dan"),
        (bought("gte", 2, currency="MXN", within_days=30), "Ada"),
        (bought("gte", 1, within_days=30), "Ada Bob"),
        (bought("gte", 1, within_days=29), "Ada"),
        ({"orders": "total", "op": "gt", "value": 999, "currency": "MXN"}, "Ada"),
        ({"all": [{"tag": "vip"}, leaf("fields.points", "lt", 12)]}, ""),
        ({"any": [{"tag": "vip"}, {"not": bought("gte", 1)}]}, "Ada Dan"),
    ]
    with tenant_context(acme):
        everybody = {"Ada", "Bob", "Dan"}
        for rule, names in told:
            for negated in (False, True):
                asked = {"not": rule} if negated else rule
                segment = factories.SegmentFactory(kind="dynamic", rule=asked)
                assert refreshing.fill(segment_id=segment.pk, now=NOW)
                found = set(segment.members.values_list("contact__first_name", flat=True))
                expected = set(names.split())
                assert found == (everybody - expected if negated else expected), (rule, negated)
                segment.delete()


def test_a_rule_that_is_wrong_is_refused_in_words(acme, api, people):
    client = api(acme)
    wrong = [
        5, {}, {"all": []}, {"all": [5]}, {"tag": 5}, {"segment": "x"}, {"x": 1}, {"not": {"not": {}}},
        leaf("password", "eq", "x"), leaf("email", "gte", "x"), leaf("email", "eq", 5),
        leaf("email", "in", []), leaf("email", "eq", "\0"), leaf("owner_id", "eq", "x"),
        leaf("created_at", "gte", "yesterday"), leaf("created_at", "within_days", "3"),
        leaf("created_at", "within_days", 10**9), leaf("fields.a", "in", 3), leaf(["x"], "eq", "x"),
        bought("gte", "1"), bought("like", 1), bought("gte", 1, currency="X"), bought(["gte"], 1),
        {"orders": "total", "op": "gt", "value": 999}, {"segment": people["Ada"]},
        {"any": [{"tag": "x"}] * 101},
    ]  # fmt: skip
    for rule in wrong:
        for path, body in ((f"{SEGMENTS}/count", {}), (SEGMENTS, {"name": "wrong"})):
            refused = client.post(path, {**body, "rule": rule}, status=400)
            assert list(refused["errors"]) == ["rule"], rule
    reader = api(acme, "read_only")
    hidden = reader.post(f"{SEGMENTS}/count", {"rule": leaf("email", "is_set", True)}, status=403)
    assert hidden["code"] == "personal_data_hidden"
    assert reader.post(f"{SEGMENTS}/count", {"rule": {"tag": "vip"}}, status=200) == {"count": 1}


def names_in(client, segment) -> list[str]:
    rows = client.get(f"/api/v1/contacts?segment={segment['id']}")["results"]
    return sorted(row["first_name"] for row in rows)


@pytest.fixture
def kept(acme):
    """`kept()`: what the worker would do now; the events promised by it: [(name, segment, how many)]."""

    def work(now=NOW):
        with square_context():
            OutboxMessage.objects.all().delete()
        with tenant_context(acme):
            for pk in Segment.objects.filter(filled_at=None).values_list("pk", flat=True):
                refreshing.fill(segment_id=pk, now=now)
            while refreshing.refresh(now=now):
                pass
            assert SegmentChange.objects.count() == 0
        with square_context():
            told = OutboxMessage.objects.filter(task="tenants.fan_out_event")
            promised = [(row.arguments["name"], json.loads(row.arguments["data"])) for row in told]
        return sorted(
            (name, data["segment"]["name"], len(data["contacts"])) for name, data in promised
        )

    return work


def test_memberships_follow_every_kind_of_change_and_each_is_told_once(acme, api, people, kept):
    client = api(acme)
    vip = client.post(SEGMENTS, {"name": "Vip", "rule": {"tag": "vip"}})
    buyers = client.post(SEGMENTS, {"name": "Buyers", "rule": bought("gte", 2)})
    rule = {"all": [{"segment": vip["id"]}, {"segment": buyers["id"]}]}
    both = client.post(SEGMENTS, {"name": "Both", "rule": rule})
    assert (vip["kind"], vip["filled_at"]) == ("dynamic", None)
    assert kept() == []
    assert [names_in(client, each) for each in (vip, buyers, both)] == [["Ada"]] * 3
    detail = client.get(f"{SEGMENTS}/{both['id']}")
    assert (detail["count"], detail["filled_at"] is None) == (1, False)

    client.patch(f"/api/v1/contacts/{people['Bob']}", {"tags": ["VIP"]})
    client.post(
        "/api/v1/contacts/batch", {"items": [{"first_name": "Eve", "tags": ["vip"]}]}, status=207
    )
    client.post(f"/api/v1/contacts/{people['Cleo']}/restore", status=200)
    assert kept() == [("segment.entered", "Vip", 3)]
    order = client.post(
        "/api/v1/orders",
        {"contact": people["Bob"], "ordered_on": "2026-11-28", "amount": {"amount": 5, "currency": "USD"}},
    )  # fmt: skip
    assert kept() == [("segment.entered", "Both", 1), ("segment.entered", "Buyers", 1)]
    client.delete(f"/api/v1/orders/{order['id']}")
    client.post("/api/v1/contacts/batch/archive", {"items": [{"id": people["Cleo"]}]}, status=207)
    assert kept() == [
        ("segment.left", "Both", 1), ("segment.left", "Buyers", 1), ("segment.left", "Vip", 1),
    ]  # fmt: skip
    with tenant_context(acme):
        tag = Tag.objects.get(name="VIP")
    client.patch(f"/api/v1/tags/{tag.pk}", {"name": "Gold"})
    assert kept() == [("segment.left", "Both", 1), ("segment.left", "Vip", 3)]


def test_another_rule_moves_the_segments_made_of_it_and_a_segment_in_use_stays(
    acme, api, people, kept
):
    client = api(acme)
    vip = client.post(SEGMENTS, {"name": "Vip", "rule": {"tag": "gold"}})
    both = client.post(
        SEGMENTS, {"name": "Both", "rule": {"all": [{"segment": vip["id"]}, bought("gte", 2)]}}
    )
    assert kept() == []

    client.patch(f"{SEGMENTS}/{vip['id']}", {"rule": {"tag": "vip"}})
    assert kept() == [("segment.entered", "Both", 1)]  # of the new rule itself nobody is told
    assert [names_in(client, each) for each in (vip, both)] == [["Ada"], ["Ada"]]
    circle = client.patch(f"{SEGMENTS}/{vip['id']}", {"rule": {"segment": both["id"]}}, status=400)
    assert circle["errors"] == {"rule": ["A segment cannot be made of itself."]}
    assert client.delete(f"{SEGMENTS}/{vip['id']}", status=409)["ids"] == [both["id"]]
    for gone in (f"/api/v1/contacts/{people['Ada']}", f"{SEGMENTS}/{both['id']}"):
        client.delete(gone)


def test_relative_dates_turn_with_the_day_and_only_those_are_looked_at_who_do(acme, people, kept):
    with tenant_context(acme):
        rule = bought("gte", 1, within_days=30)
        factories.SegmentFactory(name="Fresh", kind="dynamic", rule=rule)
    assert kept() == []
    with tenant_context(acme):
        assert standing.promise_what_waits(now=NOW) is False
        tomorrow = NOW + timedelta(days=1)
        assert standing.promise_what_waits(now=tomorrow) is True
        with CaptureQueriesContext(connection) as queries:
            assert refreshing.refresh(now=tomorrow) == 1  # Bob's only order is 31 days old now
        assert len(queries) < 15
        assert standing.promise_what_waits(now=tomorrow) is False
        inside = SegmentMember.objects.values_list("contact__first_name", flat=True)
        assert list(inside) == ["Ada"]
    assert kept(NOW + timedelta(days=400)) == [("segment.left", "Fresh", 1)]


def test_a_list_is_filled_by_hand_and_a_snapshot_stays(acme, api, people, kept):
    client = api(acme)
    listed = client.post(SEGMENTS, {"name": "Guests"})
    made_of = client.post(
        SEGMENTS, {"name": "Of guests", "rule": {"not": {"segment": listed["id"]}}}
    )
    assert kept() == []
    moved = client.post(
        f"{SEGMENTS}/{listed['id']}/members",
        {"add": [people["Ada"], people["Bob"], made_of["id"]], "remove": [people["Dan"]]},
        status=200,
    )
    assert moved == {"added": 2, "removed": 0}
    assert kept() == [("segment.left", "Of guests", 2)]
    taken = client.post(f"{SEGMENTS}/{made_of['id']}/snapshot", {"name": "Of guests, November"})
    client.post(f"{SEGMENTS}/{listed['id']}/members", {"remove": [people["Ada"]]}, status=200)
    assert kept() == [("segment.entered", "Of guests", 1)]

    assert [names_in(client, each) for each in (listed, made_of, taken)] == [
        ["Bob"], ["Ada", "Dan"], ["Dan"],
    ]  # fmt: skip
    assert (taken["kind"], taken["taken_of_id"]) == ("static", made_of["id"])
    refused = client.post(f"{SEGMENTS}/{made_of['id']}/members", {"add": []}, status=409)
    assert refused["code"] == "segment_not_static"
    again = client.post(SEGMENTS, {"name": "GUESTS"}, status=409)
    assert (again["code"], again["id"]) == ("segment_exists", listed["id"])


def test_nothing_is_noted_where_no_segment_has_a_rule(acme, api, people):
    client = api(acme)
    client.patch(f"/api/v1/contacts/{people['Bob']}", {"last_name": "B"})
    client.post("/api/v1/contacts", {"first_name": "New"})
    with tenant_context(acme):
        assert (SegmentChange.objects.count(), SegmentMember.objects.count()) == (0, 0)
        factories.SegmentFactory(name="R", kind="dynamic", rule={"tag": "x"})
    client.post("/api/v1/contacts", {"first_name": "Newer"})
    with tenant_context(acme):
        assert SegmentChange.objects.count() == 1
