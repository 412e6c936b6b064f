"""Money: integers of a currency's minor unit. Two currencies are never added, compared or mixed."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

# Every currency of the catalogue has two decimals (céntimos of the CRC too, as Stripe counts them).
MINOR_PER_MAJOR = 100


class CurrencyMismatch(TypeError):
    """Two currencies met in one sum: a fault of ours, never of a client."""


@dataclass(frozen=True, slots=True)
class Money:
    """`amount` in minor units; negative for what is given back."""

    amount: int
    currency: str

    def __add__(self, other: "Money") -> "Money":
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.amount - self._same(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.amount, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.amount < self._same(other)

    def __le__(self, other: "Money") -> bool:
        return self.amount <= self._same(other)

    def times(self, share: Fraction | int) -> "Money":
        """`share` of it, rounded half to even, once."""
        return Money(round(self.amount * share), self.currency)

    def _same(self, other: "Money") -> int:
        if other.currency != self.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency}")
        return other.amount


def total(amounts: Iterable[Money], *, currency: str) -> Money:
    """The sum, zero of `currency` where there are none. Raises CurrencyMismatch."""
    return sum(amounts, Money(0, currency))


def major(money: Money) -> str:
    """`1234.50`, for providers and papers: exact, with a minus before the digits."""
    whole, rest = divmod(abs(money.amount), MINOR_PER_MAJOR)
    return f"{'-' if money.amount < 0 else ''}{whole}.{rest:02d}"
