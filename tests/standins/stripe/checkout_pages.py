"""The page where a person pays, in place of checkout.stripe.com, and an invoice's own page."""

from html import escape

from werkzeug.wrappers import Request, Response

from tests.standins.pages import choice, complaint, form, money, page, see_other, table
from tests.standins.store import Json
from tests.standins.stripe import cards, lifecycle, purchases
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


def show_checkout(account: Account, _: Request, session_id: str, wrong: str = "") -> Response:
    session = account.store.get("checkout.session", session_id)
    if session is None or session["status"] != "open":
        return closed()
    rows = [
        (line["description"], price_text(line["price"], line["quantity"]))
        for line in session["_line_items"]
    ]
    if session["amount_total"] is not None:
        rows.append(("Due now", _due_now(session)))
    customer = account.store.get("customer", session["customer"] or "") or {}
    email = customer.get("email") or session["customer_email"] or ""
    field = (
        f'<label>E-mail<input type="email" name="email" required value="{escape(email)}"></label>'
    )
    pay = form(
        f"/c/pay/{session_id}",
        button="Save card" if session["mode"] == "setup" else "Pay",
        inner=field + choice("card", "Card", CARD_CHOICES),
    )
    cancel = ""
    if session["cancel_url"]:
        cancel = form(f"/c/pay/{session_id}/cancel", button="Cancel", quiet=True)
    return page("Checkout", complaint(wrong) + table(rows) + pay + cancel, note=NOTE)


def _due_now(session: Json) -> str:
    wanted = session["_subscription_data"]
    has_trial = wanted["trial_days"] or wanted["trial_end"]
    return money(0 if has_trial else session["amount_total"], session["currency"])


def pay(account: Account, request: Request, session_id: str) -> Response:
    session = account.store.get("checkout.session", session_id)
    if session is None or session["status"] != "open":
        return closed()
    card = chosen_card(request.form.get("card", ""))
    email = request.form.get("email", "")
    try:
        with account.store.transaction():
            purchases.complete(account, session, email=email, card=card)
    except StripeError as refusal:
        return show_checkout(account, request, session_id, wrong=str(refusal))
    return see_other(session["success_url"].replace("{CHECKOUT_SESSION_ID}", session_id))


def cancel_checkout(account: Account, _: Request, session_id: str) -> Response:
    """Back to the shop; the session stays open until it expires."""
    session = account.get("checkout.session", session_id)
    return see_other(session["cancel_url"] or account.url)


def show_invoice(account: Account, _: Request, invoice_id: str, wrong: str = "") -> Response:
    invoice = account.get("invoice", invoice_id)
    rows = [
        (line["description"] or "", money(line["amount"], line["currency"]))
        for line in invoice["lines"]["data"]
    ]
    rows += [("Total", money(invoice["total"], invoice["currency"])), ("Status", invoice["status"])]
    pay_form = ""
    if invoice["status"] == "open":
        pay_form = form(
            f"/i/{invoice_id}", button="Pay", inner=choice("card", "Card", CARD_CHOICES)
        )
    title = f"Invoice {invoice['number'] or ''}"
    return page(title, complaint(wrong) + table(rows) + pay_form, note=NOTE)


def pay_invoice(account: Account, request: Request, invoice_id: str) -> Response:
    invoice = account.get("invoice", invoice_id)
    if invoice["status"] != "open":
        return see_other(f"/i/{invoice_id}")
    try:
        with account.store.transaction():
            made = cards.made(account, chosen_card(request.form.get("card", "")))
            method = cards.attach(account, made, invoice["customer"])
            refusal = lifecycle.collect(account, invoice, method=method)
    except StripeError as error:
        refusal = error
    if refusal is not None:
        return show_invoice(account, request, invoice_id, wrong=str(refusal))
    return see_other(f"/i/{invoice_id}")


PAGES = (
    Page("GET", "/c/pay/<session_id>", show_checkout),
    Page("POST", "/c/pay/<session_id>", pay),
    Page("POST", "/c/pay/<session_id>/cancel", cancel_checkout),
    Page("GET", "/i/<invoice_id>", show_invoice),
    Page("POST", "/i/<invoice_id>", pay_invoice),
)
