"""Where the buyer agrees: to a new subscription, or to a change of a running one."""

from collections.abc import Callable
from dataclasses import dataclass

from werkzeug.routing import Rule
from werkzeug.wrappers import Request, Response

from tests.standins.pages import choice, form, page, see_other, table
from tests.standins.paypal import cycles, revisions, terms
from tests.standins.paypal.merchant import Merchant
from tests.standins.paypal.objects import moment, new_payer_id
from tests.standins.store import Json

NOTE = "This is Plaza's stand-in for PayPal. No account is real here and no money moves."
_BUYER = {"given_name": "Sandbox", "surname": "Buyer"}
_EMAIL = "buyer@example.test"
_FUNDS = {"ok": "PayPal balance, pays", "declined": "A card that is declined when charged"}


@dataclass(frozen=True)
class Page:
    method: str
    path: str
    handler: Callable[[Merchant, Request], Response]

    @property
    def rule(self) -> Rule:
        return Rule(self.path, methods=[self.method], endpoint=self)


def _found(merchant: Merchant, request: Request) -> tuple[Json, Json] | None:
    """The approval that the address names, and its subscription, while it is still open."""
    token = request.values.get("ba_token", "")
    approval = merchant.store.get("approval", token)
    if approval is None:
        return None
    subscription = merchant.get("subscription", approval["subscription"])
    if approval.get("is_revision"):
        is_open = subscription.get("_revision", {}).get("token") == token
    else:
        is_open = subscription["status"] == "APPROVAL_PENDING"
    return (approval | {"token": token}, subscription) if is_open else None


def _closed() -> Response:
    return page("This page is no longer open", "", note=NOTE, status=410)


def _price(merchant: Merchant, subscription: Json) -> str:
    cycle = terms.effective_plan(merchant, subscription)["billing_cycles"][-1]
    due = terms.amount_due(merchant, subscription, cycle, merchant.now)["gross_amount"]
    unit = cycle["frequency"]["interval_unit"].lower()
    return f"{due['currency_code']} {due['value']} / {unit}"


def show(merchant: Merchant, request: Request) -> Response:
    found = _found(merchant, request)
    if found is None:
        return _closed()
    approval, subscription = found
    proposed = dict(subscription)
    if approval.get("is_revision"):
        wish = subscription["_revision"]["wish"]
        proposed |= {name: wish[name] for name in ("plan_id", "quantity") if name in wish}
        proposed["_override"] = wish.get("plan", {})
    plan = merchant.get("plan", proposed["plan_id"])
    rows = [
        ("Plan", plan["name"]),
        ("Quantity", proposed["quantity"]),
        ("Price", _price(merchant, proposed)),
    ]
    funds = "" if approval.get("is_revision") else choice("funds", "Pay with", _FUNDS)
    fields = {"ba_token": approval["token"]}
    agree = "Agree" if approval.get("is_revision") else "Agree & Subscribe"
    body = (
        table(rows)
        + form(request.path, button=agree, inner=funds, fields=fields | {"do": "agree"})
        + form(request.path, button="Cancel", fields=fields | {"do": "cancel"}, quiet=True)
    )
    return page("PayPal", body, note=NOTE)


def act(merchant: Merchant, request: Request) -> Response:
    found = _found(merchant, request)
    if found is None:
        return _closed()
    approval, subscription = found
    is_revision = bool(approval.get("is_revision"))
    context = (
        subscription["_revision"]["wish"].get("application_context", {})
        if is_revision
        else subscription["_context"]
    )
    agrees = request.form.get("do") == "agree"
    if agrees and is_revision:
        revisions.consent(merchant, subscription)
    elif agrees:
        _approve(merchant, subscription, request.form.get("funds", "ok"))
    target = context.get("return_url" if agrees else "cancel_url")
    if target is None:
        return page("Done", "", note=NOTE)
    return see_other(
        target,
        subscription_id=subscription["id"],
        ba_token=approval["token"],
        token=approval["token"].removeprefix("BA-"),
    )


def _approve(merchant: Merchant, subscription: Json, funds: str) -> None:
    """SUBSCRIBE_NOW starts it; CONTINUE leaves that to the merchant."""
    buyer = {"email_address": _EMAIL, "name": _BUYER, "payer_id": new_payer_id()}
    subscription["subscriber"] = buyer | subscription["subscriber"]
    subscription["_funds"] = funds if funds in _FUNDS else "ok"
    subscription["update_time"] = moment(merchant.now)
    if subscription["_context"].get("user_action", "SUBSCRIBE_NOW") == "CONTINUE":
        cycles.set_status(merchant, subscription, "APPROVED")
        return
    cycles.activate(merchant, subscription)


PAGES = tuple(
    Page(method, f"/webapps/billing/subscriptions{rest}", handler)
    for rest in ("", "/update")
    for method, handler in (("GET", show), ("POST", act))
)
