"""Changes of a running subscription: items, terms, trial, and what is billed for them at once."""

from tests.standins.store import Json, copied
from tests.standins.stripe import cards, items, lifecycle, proration, renewals
from tests.standins.stripe.account import Account
from tests.standins.stripe.errors import invalid
from tests.standins.stripe.params import Params

FIELDS = (
    "items metadata description default_payment_method cancel_at_period_end cancel_at"
    " cancellation_details proration_behavior proration_date payment_behavior trial_end"
    " billing_cycle_anchor pause_collection collection_method days_until_due payment_settings"
    " trial_settings off_session"
)
_BEHAVIORS = ("allow_incomplete", "default_incomplete", "error_if_incomplete")


def update(account: Account, subscription: Json, params: Params) -> Json:
    """Apply the parameters; bill at once where they or a new billing cycle ask for it."""
    if subscription["status"] in lifecycle.ENDED:
        raise invalid("A canceled subscription can only update its cancellation_details.")
    behavior = params.one_of("payment_behavior", _BEHAVIORS, "allow_incomplete")
    before = copied(subscription)
    set_terms(account, subscription, params)
    if "items" in params:
        subscription["items"]["data"] = items.merged(account, subscription, params)
    starts_anew = _set_cycle(account, subscription, before, params)
    prorating = params.one_of("proration_behavior", proration.BEHAVIORS, "create_prorations")
    account.save(subscription)
    _bill_change(account, before, subscription, params, starts_anew=starts_anew)
    if starts_anew or prorating == "always_invoice":
        _invoice_now(account, subscription, behavior, starts_anew=starts_anew)
    # The event tells of all changes together, so the state before is put back for the comparison.
    present = account.get("subscription", subscription["id"])
    account.save(before)
    account.change(present, "customer.subscription.updated")
    lifecycle.plan_ahead(account, present)
    return present


def set_terms(account: Account, subscription: Json, params: Params) -> None:
    """Everything but items and billing cycle."""
    subscription["metadata"] = params.into_metadata(subscription["metadata"])
    if "description" in params:
        subscription["description"] = params.text("description")
    if "default_payment_method" in params:
        subscription["default_payment_method"] = own_card(account, subscription, params)
    if "trial_settings" in params:
        subscription["trial_settings"] = trial_settings(params)
    if "payment_settings" in params:
        _set_payment(subscription, params.inner("payment_settings"))
    _set_collection(subscription, params)
    _set_cancellation(account, subscription, params)
    _set_pause(subscription, params)


def own_card(account: Account, subscription: Json, params: Params) -> str | None:
    ident = params.text("default_payment_method")
    if ident is None:
        return None
    method = cards.found(account, ident, param="default_payment_method")
    if method["customer"] != subscription["customer"]:
        raise invalid(
            "The payment method must be attached to the customer.", param="default_payment_method"
        )
    return str(method["id"])


def trial_settings(params: Params) -> Json:
    behavior = (
        params.inner("trial_settings")
        .inner("end_behavior")
        .one_of("missing_payment_method", ("cancel", "create_invoice", "pause"), "create_invoice")
    )
    return {"end_behavior": {"missing_payment_method": behavior}}


def _set_payment(subscription: Json, given: Params) -> None:
    given.only("save_default_payment_method")
    subscription["payment_settings"]["save_default_payment_method"] = given.one_of(
        "save_default_payment_method", ("off", "on_subscription"), "off"
    )


def _set_collection(subscription: Json, params: Params) -> None:
    if "collection_method" in params:
        subscription["collection_method"] = params.one_of(
            "collection_method", ("charge_automatically", "send_invoice"), "charge_automatically"
        )
    if "days_until_due" in params:
        subscription["days_until_due"] = params.integer("days_until_due")
    is_sent = subscription["collection_method"] == "send_invoice"
    if is_sent and subscription["days_until_due"] is None:
        raise invalid("`days_until_due` is required for `send_invoice`.", param="days_until_due")


def _set_cancellation(account: Account, subscription: Json, params: Params) -> None:
    at_end = params.flag("cancel_at_period_end")
    if at_end is not None:
        ends_at = lifecycle.period_of(subscription)["end"]
        subscription |= {
            "cancel_at_period_end": at_end,
            "cancel_at": ends_at if at_end else None,
            "canceled_at": account.now if at_end else None,
        }
    elif "cancel_at" in params:
        at = params.integer("cancel_at")
        subscription |= {"cancel_at": at, "canceled_at": None if at is None else account.now}
    if at_end is not None or "cancel_at" in params:
        is_wanted = subscription["cancel_at"] is not None
        reason = "cancellation_requested" if is_wanted else None
        subscription["cancellation_details"]["reason"] = reason
    set_cancellation_details(subscription, params)


def set_cancellation_details(subscription: Json, params: Params) -> None:
    given = params.inner("cancellation_details")
    given.only("comment", "feedback")
    for name in given:
        subscription["cancellation_details"][name] = given.text(name)


def _set_pause(subscription: Json, params: Params) -> None:
    if params.is_cleared("pause_collection"):
        subscription["pause_collection"] = None
    elif "pause_collection" in params:
        given = params.inner("pause_collection")
        given.only("behavior")
        behavior = given.one_of(
            "behavior", ("keep_as_draft", "mark_uncollectible", "void"), "keep_as_draft"
        )
        subscription["pause_collection"] = {"behavior": behavior, "resumes_at": None}


def _set_cycle(account: Account, subscription: Json, before: Json, params: Params) -> bool:
    """Move period, anchor and trial; True when a new period begins now."""
    old, new = (one["items"]["data"][0]["price"]["recurring"] for one in (before, subscription))
    trial_end = params.text("trial_end")
    if trial_end is not None and trial_end != "now":
        _extend_trial(account, subscription, params.integer("trial_end") or 0)
        return False
    is_other_cycle = (old["interval"], old["interval_count"]) != (
        new["interval"],
        new["interval_count"],
    )
    is_asked = params.inner("billing_cycle_anchor").text("type") == "now"
    if trial_end == "now" and subscription["status"] == "trialing":
        subscription |= {"status": "active", "trial_end": account.now}
    elif subscription["status"] == "trialing" or not (is_other_cycle or is_asked):
        return False
    subscription["billing_cycle_anchor"] = account.now
    end = lifecycle.period_end(subscription, after=account.now)
    lifecycle.set_period(subscription, start=account.now, end=end)
    if subscription["cancel_at_period_end"]:
        subscription["cancel_at"] = end
    return True


def _extend_trial(account: Account, subscription: Json, end: int) -> None:
    if end <= account.now:
        raise invalid("`trial_end` must be in the future.", param="trial_end")
    period = lifecycle.period_of(subscription)
    subscription |= {
        "billing_cycle_anchor": end,
        "status": "trialing",
        "trial_end": end,
        "trial_start": subscription["trial_start"] or account.now,
    }
    lifecycle.set_period(subscription, start=period["start"], end=end)


def _bill_change(
    account: Account, before: Json, subscription: Json, params: Params, *, starts_anew: bool
) -> None:
    behavior = params.one_of("proration_behavior", proration.BEHAVIORS, "create_prorations")
    if behavior == "none" or before["status"] == "trialing":
        return
    new = [] if starts_anew else subscription["items"]["data"]
    proration.prorate(
        account,
        subscription,
        old=before["items"]["data"],
        new=new,
        period=lifecycle.period_of(before),
        at=params.integer("proration_date") or account.now,
    )


def _invoice_now(account: Account, subscription: Json, behavior: str, *, starts_anew: bool) -> None:
    """The change's invoice, final at once; without anything to bill there is none."""
    data = lifecycle.period_lines(account, subscription) if starts_anew else []
    invoice = renewals.draft_of(
        account,
        subscription,
        reason="subscription_update",
        period=lifecycle.period_of(subscription),
        data=data,
    )
    if not invoice["lines"]["data"]:
        account.store.delete("invoice", invoice["id"])
        return
    account.save(
        account.get("subscription", subscription["id"]) | {"latest_invoice": invoice["id"]}
    )
    settled = renewals.finalize_and_collect(account, invoice)
    if settled["status"] == "open" and behavior == "error_if_incomplete":
        raise cards.declined("generic_decline")
