"""The ground of the benchmark `closing`: `python -m tests.bench.closing_ground seed|close|check …`."""

import io
import json
import sys
from datetime import UTC, datetime
from typing import Any

import django

if __name__ == "__main__":
    django.setup()

from django.core.management import call_command
from django.db import connection, transaction

from billing.books.checking import faults
from billing.models import Invoice, Subscription
from billing.services import charging, closing, subscriptions
from billing.services.terms import plain_terms
from tenants.models import Tenant

BEGAN, OVER = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, 6, tzinfo=UTC)
# Events of the period that ends, a part for each meter; each statement is one meter's.
METERS = ("emails", "sms", "images", "tokens", "validations")
_EVENTS = """
INSERT INTO quotas_usageevent
    (tenant_id, id, recorded_at, meter, key, kind, quantity, period_start, occurred_at)
SELECT tenant.id, ('0190' || lpad(to_hex(%(part)s), 4, '0') || lpad(to_hex(tenant.number * 1000000 + n), 24, '0'))::uuid,
       %(began)s + n * interval '50 ms', %(meter)s, %(meter)s || n, 'consumed', 1 + n %% 7, %(began)s,
       %(began)s + n * interval '50 ms'
  FROM (SELECT id, row_number() OVER (ORDER BY id) AS number FROM tenants_tenant) AS tenant
 CROSS JOIN generate_series(1, %(each)s) AS n
"""
_TOTALS = """
INSERT INTO quotas_usagetotal (tenant_id, meter, period_start, used, carried)
SELECT tenant_id, meter, period_start, sum(quantity), 0 FROM quotas_usageevent GROUP BY 1, 2, 3
"""
_UNBILLED = """
SELECT count(*) FROM (
    SELECT tenant_id, meter, sum(quantity) AS units FROM quotas_usageevent GROUP BY 1, 2
) AS ledger FULL JOIN (
    SELECT tenant_id, subject AS meter, sum(quantity) AS units FROM billing_invoiceline
     WHERE kind = 'usage' GROUP BY 1, 2
) AS billed USING (tenant_id, meter) WHERE ledger.units IS DISTINCT FROM billed.units
"""


def seed(tenants: int, rows: int) -> None:
    """So many paying tenants whose period is over, with so many events in the ledger, and their totals."""
    for number in range(tenants):
        _paying(f"closing-{number}")
    each = rows // (tenants * len(METERS))
    with transaction.atomic(), connection.cursor() as cursor:
        for part, meter in enumerate(METERS):
            cursor.execute(_EVENTS, {"part": part, "meter": meter, "began": BEGAN, "each": each})
        cursor.execute(_TOTALS)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE quotas_usageevent")


@transaction.atomic
def _paying(slug: str) -> None:
    tenant = Tenant(slug=slug, organisation=slug, status=Tenant.Status.ACTIVE)
    tenant.schema_name = f"t_{tenant.pk.hex}"
    tenant.save()
    row = subscriptions.start(tenant=tenant, plan="growth", now=BEGAN)
    row.status, row.anchored_at, row.trial_ends_at = "active", BEGAN, None
    charge = charging.begin(row, terms=plain_terms(row, plan="growth"), at=BEGAN, now=BEGAN)
    row.save()
    charging.issue(row, charge, now=BEGAN)


def close() -> int:
    """Close everything that is due, as the task does; how many periods this process closed."""
    closed = 0
    while fresh := closing.close_due(now=OVER):
        closed += fresh
    return closed


def check() -> dict[str, Any]:
    """What came of it: open periods, invoices, meters whose billed units are not the ledger's, faults of the books."""
    with connection.cursor() as cursor:
        cursor.execute(_UNBILLED)
        unbilled = cursor.fetchone()[0]
        cursor.execute("SELECT count(*) FROM quotas_usageevent")
        events = cursor.fetchone()[0]
    return {
        "open": Subscription.objects.filter(billed_until__lte=OVER).count(),
        "invoices": Invoice.objects.filter(kind=Invoice.Kind.PERIOD).count(),
        "events": events,
        "unbilled": unbilled,
        "faults": [fault.code for fault in faults()],
    }


def main(argv: list[str]) -> None:
    if argv[0] == "seed":
        call_command("database", "prepare", stdout=io.StringIO())
        call_command("fleet", "migrate", stdout=io.StringIO())
        seed(int(argv[1]), int(argv[2]))
    elif argv[0] == "close":
        print("ready", flush=True)
        sys.stdin.readline()
        print(close(), flush=True)
    else:
        print(json.dumps(check()))


if __name__ == "__main__":
    main(sys.argv[1:])
