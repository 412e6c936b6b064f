"""Checkout sessions: what is offered, and what becomes of it when somebody pays."""

from tests.standins.store import Json
from tests.standins.stripe import prices, subscriptions
from tests.standins.stripe.account import Account
from tests.standins.stripe.changes import trial_settings
from tests.standins.stripe.errors import invalid, missing
from tests.standins.stripe.listing import page, page_of
from tests.standins.stripe.objects import fresh
from tests.standins.stripe.params import Params
from tests.standins.stripe.rating import amount_of
from tests.standins.stripe.routes import Routes

routes = Routes()

MODES = ("payment", "setup", "subscription")
_SESSIONS = "/v1/checkout/sessions"
_OPEN_SECONDS = 24 * 3600
_SUBSCRIPTION = ("metadata", "description", "trial_period_days", "trial_end", "trial_settings")


def promise(account: Account) -> None:
    account.agenda.on("session.expire", lambda ident: _expire_due(account, ident))


@routes.post(
    _SESSIONS,
    "mode line_items success_url cancel_url customer customer_email client_reference_id metadata"
    " subscription_data payment_intent_data setup_intent_data locale currency ui_mode expires_at",
)
def create(account: Account, params: Params) -> Json:
    mode = params.one_of("mode", MODES, params.required("mode"))
    params.one_of("ui_mode", ("hosted_page",), "hosted_page")
    chosen = [_line(account, given) for given in params.each("line_items")]
    if not chosen and mode != "setup":
        raise missing("line_items")
    _check_mode(mode, chosen)
    customer = account.named_by(params, "customer")["id"] if "customer" in params else None
    total = sum(line["amount_total"] for line in chosen)
    session = fresh(
        "checkout.session",
        amount_subtotal=total if chosen else None,
        amount_total=total if chosen else None,
        cancel_url=params.text("cancel_url"),
        client_reference_id=params.text("client_reference_id"),
        created=account.now,
        currency=chosen[0]["currency"] if chosen else params.text("currency"),
        customer=customer,
        customer_creation=None if customer else "always",
        customer_email=params.text("customer_email"),
        expires_at=params.integer("expires_at") or account.now + _OPEN_SECONDS,
        locale=params.text("locale"),
        metadata=params.into_metadata(None),
        mode=mode,
        payment_method_collection="always" if mode == "subscription" else None,
        status="open",
        success_url=params.required("success_url"),
        total_details={"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        ui_mode="hosted_page",
        _line_items=chosen,
        _subscription_data=_subscription_data(account, params),
        _intent_data=_intent_data(params),
    )
    session["custom_text"] = dict.fromkeys(session["custom_text"])
    session["payment_status"] = "no_payment_required" if mode == "setup" else "unpaid"
    session["url"] = f"{account.url}/c/pay/{session['id']}"
    account.save(session)
    account.agenda.add(session["expires_at"], "session.expire", session["id"])
    return session


def _line(account: Account, params: Params) -> Json:
    params.only("price", "price_data", "quantity")
    if "price_data" in params:
        price = prices.one_off_price(account, params.inner("price_data"))
    else:
        price = account.named_by(params, "price")
    is_metered = (price["recurring"] or {}).get("usage_type") == "metered"
    quantity = params.integer("quantity")
    if quantity is None and not is_metered:
        raise missing(params.named("quantity"))
    amount = 0 if is_metered else amount_of(price, quantity or 0)
    return fresh(
        "item",
        amount_subtotal=amount,
        amount_total=amount,
        currency=price["currency"],
        description=account.get("product", price["product"])["name"],
        price=price,
        quantity=quantity,
    )


def _check_mode(mode: str, chosen: list[Json]) -> None:
    is_recurring = any(line["price"]["type"] == "recurring" for line in chosen)
    if mode == "payment" and is_recurring:
        raise invalid(
            "You specified `payment` mode but passed a recurring price. Either switch to "
            "`subscription` mode or use only one-time prices.",
            param="mode",
        )
    if mode == "subscription" and not is_recurring:
        raise invalid("You must provide at least one recurring price in `subscription` mode.")
    if mode == "subscription" and any(line["price"]["type"] != "recurring" for line in chosen):
        raise invalid("This stand-in sells recurring prices only in `subscription` mode.")


def _subscription_data(account: Account, params: Params) -> Json:
    given = params.inner("subscription_data")
    given.only(*_SUBSCRIPTION)
    return {
        "metadata": given.into_metadata(None),
        "description": given.text("description"),
        "trial_days": given.integer("trial_period_days"),
        "trial_end": subscriptions.trial_end_of(account, given) if "trial_end" in given else None,
        "trial_settings": trial_settings(given),
    }


def _intent_data(params: Params) -> Json:
    given = params.inner(
        "payment_intent_data" if "payment_intent_data" in params else "setup_intent_data"
    )
    given.only("metadata", "description")
    return {"metadata": given.into_metadata(None), "description": given.text("description")}


@routes.get(f"{_SESSIONS}/<session_id>")
def retrieve(account: Account, _: Params, session_id: str) -> Json:
    return account.get("checkout.session", session_id)


@routes.post(f"{_SESSIONS}/<session_id>", "metadata")
def update(account: Account, params: Params, session_id: str) -> Json:
    session = account.get("checkout.session", session_id)
    session["metadata"] = params.into_metadata(session["metadata"])
    return account.save(session)


@routes.post(f"{_SESSIONS}/<session_id>/expire")
def expire(account: Account, _: Params, session_id: str) -> Json:
    session = account.get("checkout.session", session_id)
    if session["status"] != "open":
        raise invalid('Only Checkout Sessions with a status in ["open"] can be expired.')
    return account.change(session | {"status": "expired", "url": None}, "checkout.session.expired")


def _expire_due(account: Account, ident: str) -> None:
    session = account.store.get("checkout.session", ident)
    if session is not None and session["status"] == "open":
        account.change(session | {"status": "expired", "url": None}, "checkout.session.expired")


@routes.list(f"{_SESSIONS}/<session_id>/line_items")
def every_line(account: Account, params: Params, session_id: str) -> Json:
    session = account.get("checkout.session", session_id)
    return page(session["_line_items"], params, url=f"{_SESSIONS}/{session_id}/line_items")


@routes.list(_SESSIONS, "customer subscription payment_intent status")
def every(account: Account, params: Params) -> Json:
    equal = ("customer", "subscription", "payment_intent", "status")
    return page_of(account, "checkout.session", params, url=_SESSIONS, equal=equal)
