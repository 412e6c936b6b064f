"""Subscriptions and their items, as the API has them."""

from tests.standins.periods import DAY
from tests.standins.store import Json
from tests.standins.stripe import changes, items, lifecycle, proration, renewals
from tests.standins.stripe.account import Account
from tests.standins.stripe.errors import invalid, no_such
from tests.standins.stripe.listing import page_of
from tests.standins.stripe.objects import fresh, listed
from tests.standins.stripe.params import Params
from tests.standins.stripe.routes import Routes

routes = Routes()

_BEHAVIORS = ("allow_incomplete", "default_incomplete", "error_if_incomplete")


@routes.post(
    "/v1/subscriptions",
    "customer items metadata description default_payment_method trial_period_days trial_end"
    " trial_settings cancel_at_period_end cancel_at collection_method days_until_due"
    " payment_behavior payment_settings off_session billing_cycle_anchor proration_behavior",
)
def create(account: Account, params: Params) -> Json:
    customer = account.named_by(params, "customer")
    behavior = params.one_of("payment_behavior", _BEHAVIORS, "allow_incomplete")
    subscription = made(account, customer["id"], items.asked_for(account, params))
    _refuse_second_currency(account, subscription)
    lifecycle.set_period(subscription, start=account.now, end=account.now + DAY)
    changes.set_terms(account, subscription, params)
    anchor = _anchor_of(account, params)
    if anchor is not None:
        return lifecycle.start_free(account, subscription, until=anchor)
    started = lifecycle.start(
        account, subscription, behavior=behavior, trial_end=trial_end_of(account, params)
    )
    if not started["cancel_at_period_end"]:
        return started
    ends_at = lifecycle.period_of(started)["end"]
    return account.save(started | {"cancel_at": ends_at})


def _refuse_second_currency(account: Account, subscription: Json) -> None:
    """A customer's live subscriptions share a currency."""
    for other in account.find("subscription"):
        is_live = other["status"] not in lifecycle.ENDED
        is_same = other["customer"] == subscription["customer"]
        if is_live and is_same and other["currency"] != subscription["currency"]:
            raise invalid(
                "You cannot combine currencies on a single customer. This customer has an active "
                f"subscription with currency {other['currency']}."
            )


def _anchor_of(account: Account, params: Params) -> int | None:
    """Until when the first period is free; a first period that is paid in part is not modelled."""
    if "billing_cycle_anchor" not in params:
        if "proration_behavior" in params:
            raise invalid("Only beside `billing_cycle_anchor`.", param="proration_behavior")
        return None
    at = params.integer("billing_cycle_anchor") or 0
    if at <= account.now:
        raise invalid("`billing_cycle_anchor` must be in the future.", param="billing_cycle_anchor")
    if params.text("proration_behavior") != "none":
        raise invalid("This stand-in knows `none` alone.", param="proration_behavior")
    return at


def made(account: Account, customer: str, chosen: list[Json]) -> Json:
    """A subscription as new as can be; `lifecycle.start` writes it."""
    subscription = fresh(
        "subscription",
        billing_mode={
            "type": "flexible",
            "flexible": {"proration_discounts": "included"},
            "updated_at": account.now,
        },
        billing_schedules=[],
        cancel_at_period_end=False,
        created=account.now,
        currency=chosen[0]["price"]["currency"],
        customer=customer,
        start_date=account.now,
        status="incomplete",
    )
    subscription["payment_settings"] = {
        "payment_method_options": None,
        "payment_method_types": None,
        "save_default_payment_method": "off",
    }
    for item in chosen:
        item["subscription"] = subscription["id"]
    subscription["items"] = listed(
        chosen, url=f"/v1/subscription_items?subscription={subscription['id']}"
    )
    return subscription


def trial_end_of(account: Account, params: Params) -> int | None:
    """When the trial ends; None without one."""
    days = params.integer("trial_period_days")
    if days:
        return account.now + days * DAY
    if params.text("trial_end") in (None, "now"):
        return None
    at = params.integer("trial_end") or 0
    if at <= account.now:
        raise invalid("`trial_end` must be in the future.", param="trial_end")
    return at


@routes.get("/v1/subscriptions/<subscription_id>")
def retrieve(account: Account, _: Params, subscription_id: str) -> Json:
    return account.get("subscription", subscription_id)


@routes.post("/v1/subscriptions/<subscription_id>", changes.FIELDS)
def update(account: Account, params: Params, subscription_id: str) -> Json:
    return changes.update(account, account.get("subscription", subscription_id), params)


@routes.delete("/v1/subscriptions/<subscription_id>", "cancellation_details invoice_now prorate")
def cancel(account: Account, params: Params, subscription_id: str) -> Json:
    subscription = account.get("subscription", subscription_id)
    if subscription["status"] in lifecycle.ENDED:
        raise no_such("subscription", subscription_id)
    changes.set_cancellation_details(subscription, params)
    if params.flag("prorate") and subscription["status"] != "trialing":
        proration.prorate(
            account,
            subscription,
            old=subscription["items"]["data"],
            new=[],
            period=lifecycle.period_of(subscription),
            at=account.now,
        )
    ended = lifecycle.end(account, subscription, reason="cancellation_requested")
    if params.flag("invoice_now"):
        _invoice_rest(account, ended)
    return account.get("subscription", subscription_id)


def _invoice_rest(account: Account, subscription: Json) -> None:
    period = lifecycle.period_of(subscription) | {"end": account.now}
    used = [
        line
        for line in lifecycle.period_lines(account, subscription, metered_for=period)
        if line["period"] == period
    ]
    invoice = renewals.draft_of(
        account, subscription, reason="subscription_update", period=period, data=used
    )
    renewals.finalize_and_collect(account, invoice)


@routes.post("/v1/subscriptions/<subscription_id>/resume")
def resume(account: Account, _: Params, subscription_id: str) -> Json:
    """Take up a subscription that its trial's end had paused; a new period begins now."""
    subscription = account.get("subscription", subscription_id)
    if subscription["status"] != "paused":
        raise invalid("Only a paused subscription can be resumed.")
    subscription |= {"status": "active", "billing_cycle_anchor": account.now}
    end = lifecycle.period_end(subscription, after=account.now)
    lifecycle.set_period(subscription, start=account.now, end=end)
    account.change(subscription, "customer.subscription.resumed")
    invoice = renewals.draft_of(
        account,
        subscription,
        reason="subscription_update",
        period=lifecycle.period_of(subscription),
        data=lifecycle.period_lines(account, subscription),
    )
    renewals.finalize_and_collect(account, invoice)
    lifecycle.plan_ahead(account, subscription)
    present = account.get("subscription", subscription_id)
    return account.save(present | {"latest_invoice": invoice["id"]})


@routes.list("/v1/subscriptions", "customer status price collection_method")
def every(account: Account, params: Params) -> Json:
    """Without `status`: all but the cancelled ones. `status=all`: all."""
    wanted, price = params.text("status"), params.text("price")

    def matches(body: Json) -> bool:
        priced = price is None or any(
            item["price"]["id"] == price for item in body["items"]["data"]
        )
        if wanted is None:
            return priced and body["status"] != "canceled"
        ended = wanted == "ended" and body["status"] in lifecycle.ENDED
        return priced and (wanted == "all" or ended or body["status"] == wanted)

    return page_of(
        account,
        "subscription",
        params,
        url="/v1/subscriptions",
        equal=("customer", "collection_method"),
        matches=matches,
    )
