"""Versions of the catalogue: kept as they were, told apart, and held by whoever pays until moved."""

import copy
import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError

from billing import catalogue
from billing.catalogue.reading import read
from billing.catalogue.stored import changes, read_stored
from billing.models import CatalogueVersion, Subscription
from billing.services import catalogues, grants, moves
from config.needs import Feature, Meter
from quotas.entitlements import snapshot
from tests.factories import CatalogueVersionFactory

pytestmark = pytest.mark.django_db
NEXT = catalogue.version() + 1


@pytest.fixture(autouse=True)
def _no_provider(settings):
    settings.STRIPE_API_KEY = settings.PAYPAL_CLIENT_ID = ""
    yield
    catalogues._stored.cache_clear()


def plans(action: str, **options: Any) -> list[dict[str, Any]]:
    out = io.StringIO()
    call_command("plans", action, json=True, stdout=out, **options)
    return json.loads(out.getvalue())["results"]


def newer(**paths: Any) -> dict[str, Any]:
    """The next version, with other values at dotted paths (`__` for a dot)."""
    found = copy.deepcopy(catalogue.contents())
    for path, value in {"version": NEXT, **paths}.items():
        *parents, last = path.split("__")
        table = found
        for name in parents:
            table = table[name]
        table[last] = value
    return found


@pytest.fixture
def released(monkeypatch):
    """Puts a file into the place of ours."""

    def release(contents: dict[str, Any]) -> None:
        monkeypatch.setattr(catalogue, "contents", lambda: contents)
        monkeypatch.setattr(catalogue, "load", lambda: read(contents))

    return release


MORE = {"plans__growth__limits__contacts": 60_000, "plans__growth__prices__month__USD": 10_900}


def test_a_sync_stores_the_version_once():
    plans("sync")
    plans("sync")

    stored = CatalogueVersion.objects.get()
    assert (stored.version, stored.contents) == (catalogue.version(), catalogue.contents())


def test_a_newer_version_is_shown_by_path_and_stored_with_consent_alone(released):
    plans("sync")
    released(newer(**MORE, coupons__SUMMER={"name": "Summer", "percent": 5, "periods": 1}))

    with pytest.raises(CommandError, match="--yes"):
        plans("sync")
    assert CatalogueVersion.objects.count() == 1

    *told, last = plans("sync", yes=True)
    assert [(each["path"], each["before"], each["after"]) for each in told] == [
        ("version", NEXT - 1, NEXT),
        ("plans.growth.limits.contacts", 50_000, 60_000),
        ("plans.growth.prices.month.USD", 9_900, 10_900),
        ("coupons.SUMMER", None, {"name": "Summer", "percent": 5, "periods": 1}),
    ]
    assert last["version"] == NEXT
    assert sorted(CatalogueVersion.objects.values_list("version", flat=True)) == [NEXT - 1, NEXT]


def test_the_same_number_with_other_contents_is_refused_by_path(released):
    plans("sync")
    released(newer(**MORE, version=NEXT - 1))

    with pytest.raises(CommandError, match=r"plans\.growth\.limits\.contacts, .*raise `version`"):
        plans("sync", yes=True)
    with pytest.raises(catalogues.CatalogueRewritten):
        catalogues.store(now=CatalogueVersion.objects.get().stored_at)


def test_who_pays_keeps_limits_and_prices_until_moved(released, acme, globex, now):
    plans("sync")
    Subscription.objects.filter(tenant=acme).update(catalogue_version=NEXT - 1)
    released(newer(**MORE, plans__starter__limits__contacts=6_000))

    plans("sync", yes=True)

    # acme pays and stays; globex is on trial, and follows.
    assert snapshot(acme.id, now=now).limit(Meter.CONTACTS) == 50_000
    assert snapshot(globex.id, now=now).limit(Meter.CONTACTS) == 6_000
    row = Subscription.objects.get(tenant=acme)
    held = catalogues.catalogue_of(row.catalogue_version).plan("growth")
    price = held.price(currency="USD", interval="month")
    assert price
    assert price.amount_minor == 9_900

    assert plans("move", yes=True)[-1] == {"version": NEXT, "moved": 1, "left": 0}

    row.refresh_from_db()
    assert row.catalogue_version == NEXT
    assert snapshot(acme.id, now=now).limit(Meter.CONTACTS) == 60_000
    assert grants.is_as_catalogued(tenant_id=acme.id, plan="growth", now=now)
    assert plans("move", yes=True)[-1] == {"version": NEXT, "moved": 0, "left": 0}


def test_a_move_asks_first_and_may_be_of_one_plan_or_version(released, acme, globex):
    CatalogueVersionFactory(version=NEXT - 2, contents=newer(version=NEXT - 2))
    plans("sync", yes=True)
    Subscription.objects.filter(tenant=acme).update(catalogue_version=NEXT - 1)
    Subscription.objects.filter(tenant=globex).update(catalogue_version=NEXT - 2)
    released(newer())
    plans("sync", yes=True)

    with pytest.raises(CommandError, match="--yes"):
        plans("move")
    assert len(catalogues.behind()) == 2
    assert plans("move", yes=True, plan="scale")[-1]["moved"] == 0
    assert plans("move", yes=True, version=NEXT - 2)[-1]["moved"] == 1
    assert catalogues.behind() == [acme.id]
    assert plans("move", yes=True, plan="growth")[-1]["moved"] == 1


def test_a_plan_that_is_no_longer_sold_is_left_where_it_is(released, acme, now):
    plans("sync")
    Subscription.objects.filter(tenant=acme).update(catalogue_version=NEXT - 1)
    without = newer()
    del without["plans"]["growth"]
    without["coupons"]["PARTNER"]["plans"] = ["scale"]
    for add_on in without["add_ons"].values():
        add_on["plans"] = ["starter"]
    released(without)

    plans("sync", yes=True)

    assert moves.move(tenant_id=acme.id, now=now) is False
    assert snapshot(acme.id, now=now).limit(Meter.CONTACTS) == 50_000
    assert plans("move", yes=True)[-1]["left"] == 1


def test_a_version_that_nobody_stored_is_an_error():
    with pytest.raises(CatalogueVersion.DoesNotExist):
        catalogues.catalogue_of(NEXT + 7)


def test_an_old_version_is_read_though_meters_and_features_came_and_went():
    old = copy.deepcopy(catalogue.contents())
    del old["plans"]["growth"]["limits"]["visitors_at_once"]
    old["plans"]["growth"]["limits"]["telegrams"] = 3
    old["plans"]["growth"]["features"].append("telepathy")
    del old["plans"]["growth"]["shares"]["worker_slots"]
    del old["endpoint_rates"]["predictions"]

    found = read_stored(old, present=catalogue.contents())

    present = catalogue.plan("growth")
    assert found.plan("growth") == present
    assert found.feature_ladder().keys() == set(Feature)


def test_changes_name_what_is_new_and_what_is_gone():
    told = changes({"a": {"b": 1, "gone": 2}, "l": [1]}, {"a": {"b": 1, "new": 0}, "l": [1, 2]})

    assert [(each.path, each.before, each.after) for each in told] == [
        ("a.new", None, 0),
        ("a.gone", 2, None),
        ("l", [1], [1, 2]),
    ]


def test_the_database_refuses_to_change_a_version():
    CatalogueVersionFactory(version=1)

    with pytest.raises(IntegrityError, match="version 1 of the catalogue is kept"):
        CatalogueVersion.objects.filter(pk=1).update(contents={})
