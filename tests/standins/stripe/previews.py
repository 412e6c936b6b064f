"""`/v1/invoices/create_preview`: the next invoice, found by doing the work and taking it back."""

from tests.standins.store import Json
from tests.standins.stripe import changes, invoice_items, lifecycle, renewals
from tests.standins.stripe.account import Account
from tests.standins.stripe.errors import invalid
from tests.standins.stripe.objects import random_text
from tests.standins.stripe.params import Params
from tests.standins.stripe.routes import Routes

routes = Routes()

_DETAILS = (
    "items",
    "proration_behavior",
    "proration_date",
    "trial_end",
    "billing_cycle_anchor",
    "cancel_at_period_end",
)


@routes.post(
    "/v1/invoices/create_preview", "customer subscription subscription_details invoice_items"
)
def create_preview(account: Account, params: Params) -> Json:
    """What would be billed next: at once for always_invoice, else at the end of the period."""
    if "subscription" not in params:
        raise invalid(
            "This stand-in previews the invoices of a subscription.", param="subscription"
        )
    subscription = account.named_by(params, "subscription")
    with account.store.trial():
        preview = _worked_out(account, subscription, params)
    preview |= {"id": f"upcoming_in_{random_text(24)}", "number": None, "status": "draft"}
    return preview


def _worked_out(account: Account, subscription: Json, params: Params) -> Json:
    details = params.inner("subscription_details")
    details.only(*_DETAILS)
    known = {one["id"] for one in account.find("invoice")}
    for given in params.each("invoice_items"):
        item = invoice_items.asked_for(
            account, given, customer=subscription["customer"], subscription=subscription["id"]
        )
        account.save(item)
    if details.values:
        changes.update(account, subscription, details)
    made = [one for one in account.find("invoice") if one["id"] not in known]
    if made:
        return _unpaid(made[-1])
    return _next(account, account.get("subscription", subscription["id"]))


def _unpaid(invoice: Json) -> Json:
    """As it stood before money moved."""
    due = max(invoice["total"], 0)
    return invoice | {
        "amount_due": due,
        "amount_paid": 0,
        "amount_remaining": due,
        "attempted": False,
    }


def _next(account: Account, subscription: Json) -> Json:
    past = lifecycle.period_of(subscription)
    end = lifecycle.period_end(subscription, after=past["end"])
    lifecycle.set_period(subscription, start=past["end"], end=end)
    if subscription["status"] == "trialing":
        subscription["status"] = "active"
    if not subscription["cancel_at_period_end"]:
        return renewals.cycle_invoice(account, subscription, past)
    return renewals.draft_of(
        account, subscription, reason="subscription_cycle", period=past, data=[]
    )
