"""The drill `previews`: random changes of subscriptions, each previewed, and the invoice that follows."""

from typing import Any

from tenants.isolation import square_context
from tests.billing.random_changes import random_changes
from tests.drills.ground import Ground
from tests.drills.outcome import Outcome

TENANTS = 1


def run(ground: Ground, n: int) -> Outcome:
    """`n` previews; each that is not its invoice, line by line, is lost."""
    outcome, tenant = Outcome("previews"), ground.tenants[0]
    made: list[list[Any]] = []
    refused = 0
    with square_context():
        for pair in random_changes(ground.chance("previews"), tenant, n):
            outcome.n += 1
            refused += isinstance(pair.invoiced, str)
            if isinstance(pair.invoiced, list) and pair.invoiced:
                made.append(pair.invoiced)
            if pair.previewed != pair.invoiced:
                outcome.lose(f"{pair.told}: {pair.previewed} became {pair.invoiced}")
    used = sum(any(_has_use(invoice) for invoice in invoices) for invoices in made)
    currencies = sum(len({invoice[3] for invoice in invoices}) == 2 for invoices in made)
    outcome.remarks.append(
        f"{len(made)} were invoiced, {used} of them with use and {currencies} in two currencies, "
        f"{refused} refused in both"
    )
    if len(made) * 2 < outcome.n:
        outcome.vain.append("fewer than half of the previews were invoiced")
    if not used or not currencies:
        outcome.vain.append("no use, or no other currency, was met")
    return outcome


def _has_use(invoice: Any) -> bool:
    lines, *_ = invoice
    return any(kind in {"usage", "late_usage"} for kind, *_ in lines)
