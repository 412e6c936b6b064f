"""The customer portal's page: change the plan, cancel, use another card."""

from html import escape

from werkzeug.wrappers import Request, Response

from tests.standins.pages import choice, complaint, form, money, page, see_other, table
from tests.standins.store import Json
from tests.standins.stripe import cards, changes, lifecycle
from tests.standins.stripe.account import Account
from tests.standins.stripe.errors import StripeError
from tests.standins.stripe.page_parts import (
    CARD_CHOICES,
    NOTE,
    Page,
    chosen_card,
    closed,
    price_text,
)
from tests.standins.stripe.params import Params


def _portal_session(account: Account, secret: str) -> Json | None:
    kept = account.store.get("portal_secret", secret)
    return None if kept is None else account.store.get("billing_portal.session", kept["session"])


def _features(account: Account, session: Json) -> Json:
    """What the session's configuration lets the customer do."""
    configuration = account.get("billing_portal.configuration", session["configuration"])
    features: Json = configuration["features"]
    return features


def show_portal(account: Account, _: Request, secret: str, wrong: str = "") -> Response:
    session = _portal_session(account, secret)
    if session is None:
        return closed()
    features, action = _features(account, session), f"/p/session/{secret}"
    parts = [complaint(wrong)]
    running = account.find(
        "subscription",
        lambda one: one["customer"] == session["customer"] and one["status"] not in lifecycle.ENDED,
    )
    for subscription in running:
        parts += [
            _description(account, subscription),
            _change_form(account, subscription, features, action),
            _cancel_form(subscription, features, action),
        ]
    if features["payment_method_update"]["enabled"]:
        cards_form = form(
            action,
            button="Use this card",
            inner=choice("card", "Card", CARD_CHOICES),
            fields={"do": "card"},
        )
        parts.append(f"<h2>Card</h2>{cards_form}")
    parts.append("<h2>Invoices</h2>" + table(_invoice_rows(account, session["customer"])))
    if session["return_url"]:
        parts.append(f'<p><a href="{escape(session["return_url"])}">Back</a></p>')
    return page("Billing", "".join(parts), note=NOTE)


def _invoice_rows(account: Account, customer: str) -> list[tuple[str, str]]:
    found = account.find("invoice", lambda one: one["customer"] == customer)
    return [
        (one["number"] or "draft", f"{money(one['total'], one['currency'])} · {one['status']}")
        for one in found[::-1]
    ]


def _description(account: Account, subscription: Json) -> str:
    item = subscription["items"]["data"][0]
    name = account.get("product", item["price"]["product"])["name"]
    return table(
        [
            (name, price_text(item["price"], item["quantity"])),
            ("Status", subscription["status"]),
            ("Ends with its period", "yes" if subscription["cancel_at_period_end"] else "no"),
        ]
    )


def _offered(account: Account, subscription: Json, features: Json) -> list[Json]:
    """The prices to change to: those of the configuration's products, else all that fit."""
    present = subscription["items"]["data"][0]["price"]
    products = features["subscription_update"].get("products") or []
    listed = {price for product in products for price in product["prices"]}
    if not features["subscription_update"]["enabled"]:
        return []
    return account.find(
        "price",
        lambda price: (not listed or price["id"] in listed) and _may_follow(present, price),
    )


def _may_follow(present: Json, price: Json) -> bool:
    return bool(
        price["active"]
        and price["recurring"]
        and price["recurring"]["usage_type"] == "licensed"
        and price["currency"] == present["currency"]
    )


def _change_form(account: Account, subscription: Json, features: Json, action: str) -> str:
    choices = {
        price["id"]: f"{account.get('product', price['product'])['name']}: {price_text(price, 1)}"
        for price in _offered(account, subscription, features)
    }
    fields = {"subscription": subscription["id"], "do": "change"}
    inner = choice("price", "Plan", choices)
    return form(action, button="Change plan", inner=inner, fields=fields) if choices else ""


def _cancel_form(subscription: Json, features: Json, action: str) -> str:
    is_ending = subscription["cancel_at_period_end"]
    is_immediate = features["subscription_cancel"]["mode"] == "immediately"
    button = "Cancel now" if is_immediate else "Cancel at the period's end"
    if is_ending:
        button = "Keep the plan"
    fields = {"subscription": subscription["id"], "do": "keep" if is_ending else "cancel"}
    if not features["subscription_cancel"]["enabled"]:
        return ""
    return form(action, button=button, fields=fields, quiet=True)


def act_in_portal(account: Account, request: Request, secret: str) -> Response:
    session = _portal_session(account, secret)
    if session is None:
        return closed()
    try:
        with account.store.transaction():
            _do(account, session, request)
    except StripeError as refusal:
        return show_portal(account, request, secret, wrong=str(refusal))
    return see_other(f"/p/session/{secret}")


def _do(account: Account, session: Json, request: Request) -> None:
    wish, features = request.form.get("do", ""), _features(account, session)
    needed = {
        "card": "payment_method_update",
        "change": "subscription_update",
        "cancel": "subscription_cancel",
        "keep": "subscription_cancel",
    }.get(wish)
    if needed is None or not features[needed]["enabled"]:
        raise StripeError("This is not possible here.")
    if wish == "card":
        _use_card(account, session["customer"], request.form.get("card", ""))
        return
    subscription = account.get("subscription", request.form.get("subscription", ""))
    if subscription["customer"] != session["customer"]:
        raise StripeError("This is not the customer's subscription.")
    if wish == "change":
        _change_plan(account, subscription, features, request.form.get("price", ""))
    elif wish == "cancel" and features["subscription_cancel"]["mode"] == "immediately":
        lifecycle.end(account, subscription, reason="cancellation_requested")
    else:
        at_end = "true" if wish == "cancel" else "false"
        changes.update(account, subscription, Params({"cancel_at_period_end": at_end}))


def _change_plan(account: Account, subscription: Json, features: Json, price: str) -> None:
    if price not in {one["id"] for one in _offered(account, subscription, features)}:
        raise StripeError("This plan is not offered.")
    item = subscription["items"]["data"][0]
    chosen = {"id": item["id"], "price": price, "quantity": str(item["quantity"] or 1)}
    prorating = features["subscription_update"]["proration_behavior"]
    wanted = {"items": [chosen], "proration_behavior": prorating}
    changes.update(account, subscription, Params(wanted))


def _use_card(account: Account, customer_id: str, number: str) -> None:
    made = cards.made(account, chosen_card(number))
    method = cards.attach(account, made, customer_id)
    customer = account.get("customer", customer_id)
    customer["invoice_settings"]["default_payment_method"] = method["id"]
    account.change(customer, "customer.updated")
    for subscription in account.find("subscription", lambda one: one["customer"] == customer_id):
        if subscription["status"] not in lifecycle.ENDED:
            subscription["default_payment_method"] = method["id"]
            account.change(subscription, "customer.subscription.updated")


PAGES = (
    Page("GET", "/p/session/<secret>", show_portal),
    Page("POST", "/p/session/<secret>", act_in_portal),
)
