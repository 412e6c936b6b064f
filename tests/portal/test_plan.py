"""Home and plan: usage against limits, and the way to a greater plan."""

import re
from datetime import timedelta

import pytest

from billing.models import Invoice, Subscription
from config.needs import Meter
from quotas import entitlements, ledger
from tests.billing.conftest import pay
from tests.billing.paying import paying
from tests.portal.browser import found, signed_in
from tests.quotas.test_alerts_api import growing

pytestmark = pytest.mark.django_db


def bar(page: str, meter: str) -> dict[str, str]:
    """The attributes of a meter's bar."""
    attributes = found(rf'<progress([^>]*)aria-labelledby="meter-{meter}"', page)
    return dict(re.findall(r'(\w+)="([^"]*)"', attributes))


def test_home_shows_each_meter_against_its_limit(globex, now):
    browser = signed_in(globex)
    ledger.consume(tenant_id=globex.pk, meter=Meter.CONTACTS, quantity=1_234, key="some", now=now)

    page = browser.get("/")

    assert "Plan Starter" in browser.text
    assert "Contacts 1,234 of 5,000 3,766 left" in browser.text
    assert bar(page, "contacts") == {"class": "", "value": "1234", "max": "5000"}


@pytest.mark.parametrize(("used", "level"), [(3_999, ""), (4_000, "near"), (5_000, "full")])
def test_a_bar_says_when_its_limit_is_near_and_what_to_do(globex, now, used, level):
    browser = signed_in(globex)
    ledger.consume(tenant_id=globex.pk, meter=Meter.CONTACTS, quantity=used, key="some", now=now)

    page = browser.get("/")

    assert bar(page, "contacts")["class"] == level
    assert ("See which plan allows more" in browser.text) is bool(level)


def test_numbers_are_written_as_the_language_writes_them(globex, now):
    browser = signed_in(globex, language="es")
    ledger.consume(tenant_id=globex.pk, meter=Meter.CONTACTS, quantity=1_234, key="some", now=now)

    page = browser.get("/")

    assert "1 234 de 5 000" in browser.text.replace("\N{NO-BREAK SPACE}", " ")
    assert bar(page, "contacts")["value"] == "1234"


@pytest.mark.parametrize("path", ["/", "/plan"])
@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "At this pace you run out on"), ("es", "A este ritmo se agota el")],
)
def test_usage_says_when_it_runs_out_at_this_pace(globex, now, path, language, words):
    growing(globex, known=28, daily=150)
    browser = signed_in(globex, language=language)

    browser.get(path)

    # 4,200 of 5,000 after four steady weeks: the sixth day from now takes the last.
    assert words in browser.text


def test_the_plan_that_a_refusal_named_is_marked(globex):
    browser = signed_in(globex)

    browser.get("/plan?wanted=growth")

    assert "Starter Your plan" in browser.text
    assert "Growth Allows it" in browser.text


def test_an_upgrade_leads_to_the_providers_page_and_is_in_force_once_paid(
    shop,
    settle,
    globex,
    now,
):
    browser = signed_in(globex)

    page = browser.post("/plan/checkout", {"plan": "growth"}, seen="/plan")
    url = found(r'class="button" href="([^"]+)"', page)
    assert url.startswith(shop.url)
    assert f'content="1;url={url}"' in page
    browser.get("/plan")
    assert "Starter Your plan" in browser.text
    assert pay(url) == "http://globex.plaza.localhost:8000/plan?paid=growth"
    page = browser.get("/plan?paid=growth")
    assert "Your payment is being confirmed…" in browser.text
    assert 'action="/plan/checkout"' not in page
    asked = found(r'hx-get="([^"]+)" hx-trigger="every 1s"', page).replace("&amp;", "&")
    assert browser.get(asked, status=204) == ""
    settle()

    browser.get(asked)
    assert browser.last["HX-Refresh"] == "true"
    browser.get("/plan?paid=growth")
    assert "Your payment is confirmed: the plan Growth is in force." in browser.text
    assert "Growth Your plan" in browser.text
    assert entitlements.snapshot(globex.pk, now=now).plan == "growth"


@pytest.mark.parametrize("since", ["0", "", "x", "9" * 30, "-1", "٣"])
def test_waiting_for_a_payment_ends_with_a_calm_notice(globex, since):
    browser = signed_in(globex)

    page = browser.get(f"/plan/confirmation?paid=growth&since={since}")

    assert "The confirmation takes longer than usual." in browser.text
    assert "hx-get" not in page


def test_a_plan_that_nobody_paid_for_is_waited_for_and_not_granted(globex, now):
    browser = signed_in(globex)

    browser.get("/plan?paid=scale")
    assert "Starter Your plan" in browser.text
    assert entitlements.snapshot(globex.pk, now=now).plan == "starter"
    page = browser.get("/plan?paid=doubloons")
    assert "Your payment is being confirmed…" not in browser.text
    assert 'action="/plan/checkout"' in page


def test_a_plan_without_campaigns_shows_no_meter_of_them(globex, now):
    browser = signed_in(globex)
    browser.get("/")
    assert "Campaigns a month" in browser.text
    entitlements.grant(
        tenant_id=globex.pk, source="plan", plan="free", features=["crm", "imports"],
        limits={"contacts": 500, "campaigns": 5, "seats": 0}, rates={"tenant": (600, 60)},
        ladder={}, feature_ladder={}, now=now,
    )  # fmt: skip

    page = browser.get("/")

    assert 'id="meter-contacts"' in page
    assert 'id="meter-campaigns"' not in page
    assert 'id="meter-seats"' not in page


def test_a_paid_plan_is_changed_without_another_checkout(shop, settle, globex):
    browser = signed_in(globex)
    page = browser.post("/plan/checkout", {"plan": "growth"}, seen="/plan")
    pay(found(r'class="button" href="([^"]+)"', page))
    settle()

    page = browser.get("/plan")
    assert 'method="get" action="/plan/change"' in page
    page = browser.get("/plan/change?plan=scale&currency=")
    assert "Credit: Plan Growth" in browser.text
    assert "The plan Scale, as asked for, from now on." in browser.text
    shown = [int(each) for each in re.findall(r"Total USD.([\d]+)", browser.text)]
    fields = dict(re.findall(r'name="(plan|quoted_at)" value="([^"]+)"', page))
    browser.post("/plan/change", fields, status=302, seen=f"/plan/change?plan={fields['plan']}")
    assert browser.last["Location"] == "/plan"
    browser.get("/plan")
    assert "A change to Scale is asked for" in browser.text
    settle()

    browser.get("/plan")
    assert "Scale Your plan" in browser.text
    assert Subscription.objects.get(tenant=globex).plan == "scale"
    assert [Invoice.objects.get(kind="change").total_minor // 100] == shown


def test_another_currency_and_seats_are_previewed_before_they_are_asked_for(globex, now):
    paying(globex, at=now - timedelta(days=1))
    browser = signed_in(globex, language="es")
    page = browser.get("/plan")
    assert "<option selected>USD</option>" in " ".join(page.split())

    browser.get("/plan/change?currency=MXN&seats=22&interval=month&coupon=WELCOME20")

    for words in (
        "Hasta entonces todo queda igual.",
        "MXN 1 849",
        "MXN 438",
        "Descuento WELCOME20",
    ):
        assert words in browser.text.replace("\N{NO-BREAK SPACE}", " "), words
    assert Subscription.objects.get(tenant=globex).changes.count() == 0
    browser.get("/plan/change?seats=many", status=400)
    signed_in(globex, "editor").get("/plan/change?seats=22", status=403)


@pytest.mark.parametrize(
    ("role", "may"), [("admin", True), ("billing", True), ("editor", False), ("read_only", False)]
)
def test_only_who_may_buy_is_offered_to(globex, role, may):
    browser = signed_in(globex, role)

    page = browser.get("/plan")

    assert ('action="/plan/checkout"' in page) is may
    if not may:
        browser.post("/plan/checkout", {"plan": "growth"}, status=403, seen="/")


def test_a_plan_that_is_none_is_refused(globex):
    browser = signed_in(globex)

    browser.post("/plan/checkout", {"plan": "platinum"}, status=400, seen="/plan")

    assert "validation_failed" in browser.text


def test_an_overdue_tenant_reaches_its_plan_and_is_told(globex):
    browser = signed_in(globex)
    entitlements.hold(tenant_id=globex.pk, code="subscription_past_due")

    browser.get("/plan")

    assert "A payment for this subscription is overdue." in browser.text


def test_the_plans_tell_what_seats_use_and_add_ons_cost(square):
    page = square.get("/?currency=USD", headers={"Accept-Language": "en"}).content.decode()

    for words in ("each seat more: USD", "e-mails above 25,000: USD", "add-on Single sign-on: USD"):
        assert words in page, words
