"""What the pages share: their note, the cards to choose from, prices in words."""

from collections.abc import Callable
from dataclasses import dataclass

from werkzeug.routing import Rule
from werkzeug.wrappers import Response

from tests.standins.pages import money, page
from tests.standins.store import Json
from tests.standins.stripe import cards

NOTE = "This is Plaza's stand-in for Stripe. No card is real here and no money moves."
CARD_CHOICES = {
    "4242424242424242": "Visa •••• 4242, pays",
    "5555555555554444": "Mastercard •••• 4444, pays",
    "4000000000000002": "Visa •••• 0002, is declined",
    "4000000000009995": "Visa •••• 9995, has insufficient funds",
    "4000000000000341": "Visa •••• 0341, is accepted but declined when charged",
}
_CARDS = {card.number: card for card in cards.CARDS}


@dataclass(frozen=True)
class Page:
    method: str
    path: str
    handler: Callable[..., Response]

    @property
    def rule(self) -> Rule:
        return Rule(self.path, methods=[self.method], endpoint=self)


def price_text(price: Json, quantity: int | None) -> str:
    recurring = price["recurring"]
    every = f" / {recurring['interval']}" if recurring else ""
    if price["unit_amount"] is None or quantity is None:
        return f"by usage{every}"
    return f"{quantity} × {money(price['unit_amount'], price['currency'])}{every}"


def chosen_card(number: str) -> cards.TestCard:
    """The card that a form names; the first when it names none."""
    return _CARDS.get(number, cards.CARDS[0])


def closed() -> Response:
    return page("This page is no longer open", "", note=NOTE, status=410)
