"""Fill Plaza's database for the benchmark: `python -m tests.bench.seed_plaza TENANTS CONTACTS`."""

import io
import json
import sys
from datetime import UTC, datetime
from uuid import UUID

import django

django.setup()

from django.core.management import call_command  # noqa: E402

from billing.signup import sign_up  # noqa: E402
from config.fingerprint import release_fingerprint  # noqa: E402
from config.models import PreparedRelease  # noqa: E402
from quotas import entitlements  # noqa: E402
from tenants.identity import tokens  # noqa: E402
from tenants.isolation import tenant_context  # noqa: E402
from tenants.models import Member  # noqa: E402
from tenants.services import host_of  # noqa: E402
from tests.bench.people import fill  # noqa: E402

_UNBOUND = (1_000_000_000, 60)


def main(tenants: int, rows: int) -> None:
    call_command("database", "prepare", stdout=io.StringIO())
    call_command("fleet", "migrate", stdout=io.StringIO())
    PreparedRelease.objects.update_or_create(id=1, defaults={"fingerprint": release_fingerprint()})
    now = datetime.now(UTC)
    made = []
    for number in range(tenants):
        tenant = sign_up(
            organisation=f"Bench {number}", slug=f"bench-{number}", email=f"o{number}@bench.test",
            password="benchmark-only-2026", plan="enterprise", now=now,
        )  # fmt: skip
        _lift_rates(tenant.id, now)
        with tenant_context(tenant):
            ids = fill(rows)
        pair = tokens.issue(member=Member.objects.get(tenant=tenant), now=now)
        made.append(
            {"host": host_of(tenant.slug), "authorization": f"Bearer {pair.access}", "ids": ids}
        )
    print(json.dumps(made))


def _lift_rates(tenant_id: UUID, now: datetime) -> None:
    """An override above the plan, so that the gate decides every request and refuses none."""
    snapshot = entitlements.snapshot(tenant_id, now=now)
    entitlements.grant(
        tenant_id=tenant_id, source="override:bench", plan=snapshot.plan, features=(), limits={},
        rates=dict.fromkeys(snapshot.rates, _UNBOUND), ladder={}, feature_ladder={},
        priority=100, now=now,
    )  # fmt: skip


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
