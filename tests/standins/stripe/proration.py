"""What a change in mid-period costs: to the second, a credit for the old and a debit for the new."""

from datetime import UTC, datetime
from decimal import Decimal

from tests.standins.store import Json
from tests.standins.stripe import lines
from tests.standins.stripe.account import Account
from tests.standins.stripe.rating import amount_of, cents

BEHAVIORS = ("create_prorations", "always_invoice", "none")


def prorate(
    account: Account, subscription: Json, *, old: list[Json], new: list[Json], period: Json, at: int
) -> None:
    """Leave invoice items for the rest of `period` from `at`, for each licensed item that differs."""
    share = Decimal(period["end"] - at) / Decimal(period["end"] - period["start"])
    before = {item["id"]: item for item in old if item["quantity"] is not None}
    after = {item["id"]: item for item in new if item["quantity"] is not None}
    rest = {"start": at, "end": period["end"]}
    for ident in [*before, *(ident for ident in after if ident not in before)]:
        was, will_be = before.get(ident), after.get(ident)
        if was is not None and will_be is not None and _is_same(was, will_be):
            continue
        if was is not None:
            _leave(account, subscription, was, share=-share, period=rest)
        if will_be is not None:
            _leave(account, subscription, will_be, share=share, period=rest)


def _is_same(was: Json, will_be: Json) -> bool:
    same_price = was["price"]["id"] == will_be["price"]["id"]
    return bool(same_price and was["quantity"] == will_be["quantity"])


def _leave(
    account: Account, subscription: Json, item: Json, *, share: Decimal, period: Json
) -> None:
    price = item["price"]
    day = datetime.fromtimestamp(period["start"], tz=UTC).strftime("%d %b %Y")
    product = account.get("product", price["product"])["name"]
    word = "Unused" if share < 0 else "Remaining"
    waiting = lines.invoice_item(
        account,
        customer=subscription["customer"],
        amount=cents(amount_of(price, item["quantity"]) * share),
        currency=price["currency"],
        description=f"{word} time on {item['quantity']} × {product} after {day}",
        period=period,
        discountable=False,
        pricing=lines.priced(price),
        proration=True,
        quantity=item["quantity"],
        subscription=subscription["id"],
    )
    account.create(waiting, "invoiceitem.created")
