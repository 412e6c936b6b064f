"""The drill `previews`: random changes of subscriptions, each previewed, and the invoice that follows."""

from tenants.isolation import square_context
from tests.billing.random_changes import random_changes
from tests.drills.ground import Ground
from tests.drills.outcome import Outcome

TENANTS = 1


def run(ground: Ground, n: int) -> Outcome:
    """`n` previews; each that is not its invoice, line by line, is lost."""
    outcome, tenant = Outcome("previews"), ground.tenants[0]
    invoiced = refused = 0
    with square_context():
        for pair in random_changes(ground.chance("previews"), tenant, n):
            outcome.n += 1
            invoiced += isinstance(pair.invoiced, tuple)
            refused += isinstance(pair.invoiced, str)
            if pair.previewed != pair.invoiced:
                outcome.lose(f"{pair.told}: {pair.previewed} became {pair.invoiced}")
    outcome.remarks.append(f"{invoiced} were invoiced, {refused} refused in both")
    if invoiced * 2 < outcome.n:
        outcome.vain.append("fewer than half of the previews were invoiced")
    return outcome
