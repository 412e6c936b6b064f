"""A sign-up killed with SIGKILL: what was reserved is whole, and the tasks finish it."""

import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings

from billing import signup
from billing.models import Subscription
from billing.tasks import finish_sign_up
from config.needs import Meter
from quotas import ledger
from tenants.models import Tenant
from tests.billing.test_signup import tables_of, wish
from tests.processes import environment_here

pytestmark = pytest.mark.django_db(transaction=True)
SIGN_UP = """
import django, sys
django.setup()
from datetime import UTC, datetime
from billing.signup import sign_up
sign_up(**eval(sys.argv[1]), now=datetime.now(UTC))
"""


def begun() -> "subprocess.Popen[bytes]":
    """Another process that signs up, in this test's database."""
    return subprocess.Popen(
        [sys.executable, "-c", SIGN_UP, repr(wish())], cwd=settings.BASE_DIR, env=environment_here()
    )


def is_reserved() -> bool:
    return Tenant.objects.exists()


def has_tables() -> bool:
    tenant = Tenant.objects.first()
    return tenant is not None and tables_of(tenant) > 0


@pytest.mark.parametrize("reached", [is_reserved, has_tables])
def test_a_killed_sign_up_is_finished_by_the_tasks(now, acme, reached: Callable[[], bool]):
    whole = tables_of(acme)
    Tenant.objects.all().delete()
    process = begun()
    try:
        deadline = time.monotonic() + 60
        while not reached():
            assert process.poll() is None, "it ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.005)
    finally:
        process.kill()
        process.wait()

    tenant = Tenant.objects.get()
    # A fast machine may be done before the signal arrives; then there is nothing left to prove.
    if tenant.status == Tenant.Status.PROVISIONING:
        assert signup.resume_cut_off(now=now + timedelta(minutes=5)) == 1
        finish_sign_up(tenant_id=str(tenant.id))

    tenant.refresh_from_db()
    assert (tenant.status, tables_of(tenant)) == ("active", whole)
    assert Subscription.objects.get(tenant=tenant).plan == "starter"
    assert ledger.remaining(tenant_id=tenant.id, meter=Meter.SEATS, now=now) == 4
