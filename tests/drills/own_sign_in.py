"""What PostgreSQL lets every sign-in do to itself, and whether the product mends it (`PLAZA_DB_LOGIN=tenant`)."""

from tenants.provisioning import provision
from tests.drills.ground import hang_up
from tests.drills.outcome import Outcome
from tests.drills.walls import ProductWall

# No right can be taken away for these: "ordinary roles can only change their own password".
_OF_ITS_OWN = (
    "ALTER ROLE CURRENT_USER PASSWORD 'known-to-the-attacker'",
    "ALTER ROLE CURRENT_USER SET search_path = pg_catalog",
    "ALTER ROLE CURRENT_USER SET default_transaction_read_only = on",
    "ALTER ROLE CURRENT_USER SET statement_timeout = 0",
)


def check(outcome: Outcome, wall: ProductWall) -> None:
    """Each hurts nobody but the tenant whose SQL was injected, until it is provisioned again."""
    for statement in _OF_ITS_OWN:
        outcome.n += 1
        told = wall.ask([statement], "execute", is_whole=True)
        hang_up()
        provision(tenant_id=wall.attacker.pk)
        if told.error:
            outcome.remarks.append(f"refused: {statement}")
        if not wall.is_well():
            outcome.lose(f"{statement!r} is not mended by provisioning the tenant again")
            hang_up()
