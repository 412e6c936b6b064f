"""`manage.py tenant close|restore|erase|export|import`: what an operator does by hand at the end."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection

from billing.models import Subscription
from billing.refusals import StillCollected
from billing.services import offboarding
from billing.tasks import erase_closed
from tenants.engine.owner import owner_connection
from tenants.models import Erasure, Tenant
from tests.stack import REPOSITORY
from tests.tenants.endings import (  # noqa: F401
    LEFT_OF_ERASED,
    checksum,
    furnished,
    own_files,
    past_window,
    quiet,
    traces,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_files")]


def told(*arguments: str) -> list[dict]:
    out = io.StringIO()
    call_command("tenant", *arguments, "--json", stdout=out, stderr=io.StringIO())
    return json.loads(out.getvalue())["results"]


def refused(*arguments: str, says: str) -> None:
    with pytest.raises(CommandError, match=says):
        told(*arguments)


def test_a_tenant_is_closed_restored_and_erased_by_hand():
    sol = furnished("sol")

    closed = told("close", "sol", "--reason", "Over.")[0]
    assert (closed["status"], told("restore", "sol")[0]["status"]) == ("closing", "active")
    told("close", "sol", "--reason", "Over.")
    refused("erase", "sol", says="--yes")
    refused("erase", "sol", "--yes", says="closing_window_open")
    refused("erase", "sol", "--yes", "--now", "soll", says="nothing was erased")
    certificate = told("erase", "sol", "--now", "sol")[0]

    assert traces(sol.id) == LEFT_OF_ERASED
    assert certificate["sha256"] == Erasure.objects.get().certificate["sha256"]
    assert told("erase", "sol", "--yes")[0] == certificate
    refused("erase", "nobody", "--yes", says="no tenant 'nobody'")


def test_restore_undoes_a_suspension_too():
    furnished("sol")
    told("suspend", "sol", "--reason", "unpaid")
    assert told("restore", "sol")[0]["status"] == "active"


def test_a_copy_is_made_by_hand(tmp_path):
    sol = furnished("sol")
    to = tmp_path / "sol.zip"

    made = told("export", "sol", "--to", str(to))[0]
    before = checksum(sol)  # with the export in its audit trail
    copy = told("import", str(to), "--slug", "nova", "--organisation", "Nova", "--plan", "free")[0]

    assert (made["slug"], made["size_bytes"]) == ("sol", to.stat().st_size)
    assert (copy["slug"], copy["status"], copy["plan"]) == ("nova", "active", "free")
    assert checksum(sol) == before
    refused("import", str(to), "--slug", "nova", says="slug_taken")
    refused("import", str(to), "--slug", "Bad Slug", says="validation_failed")
    refused("import", str(to), "--slug", "luna", "--plan", "gold", says="validation_failed")
    refused("import", str(tmp_path / "none.zip"), "--slug", "luna", says="No such file")
    refused("export", "sol", "--to", str(tmp_path / "no" / "x.zip"), says="No such file")


def test_whoever_is_still_charged_is_not_erased():
    sol = furnished("sol")
    Subscription.objects.filter(tenant=sol).update(
        status="active", provider="stripe", provider_subscription_id="sub_1"
    )
    with pytest.raises(StillCollected):
        offboarding.erase(tenant_id=sol.id, now=past_window(sol), tell=quiet, is_at_once=True)
    assert Tenant.objects.get(pk=sol.pk).status == "active"


def test_the_clock_erases_what_is_due_and_nothing_else():
    sol, luna = furnished("sol"), furnished("luna")
    before = checksum(luna)
    told("close", "sol", "--reason", "Over.")
    assert erase_closed() == 0
    Tenant.objects.filter(pk=sol.pk).update(erase_after=datetime.now(UTC))

    assert (erase_closed(), erase_closed()) == (1, 0)
    assert traces(sol.id) == LEFT_OF_ERASED
    assert checksum(luna) == before


def test_an_erasure_killed_by_the_kernel_goes_on_from_there():
    sol, luna = furnished("sol", contacts=20), furnished("luna")
    before = checksum(luna)
    process = started("erase", "sol", "--now", "sol")
    deadline = time.monotonic() + 60
    while not has_begun() and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()

    wait_until_nobody_erases()
    certificate = told("erase", "sol", "--yes")[0]

    assert traces(sol.id) == LEFT_OF_ERASED
    assert certificate["erased"]["tables"]["crm_contact"] == 20
    assert certificate["erased"]["files"] == {"files": 2, "bytes": 264}
    assert checksum(luna) == before


def started(*arguments: str) -> subprocess.Popen[bytes]:
    """The command in a process of its own, on this test's database."""
    name = str(connection.settings_dict["NAME"])
    environment = {
        key: f"{value.rpartition('/')[0]}/{name}" if key.startswith("DATABASE") else value
        for key, value in os.environ.items()
    }
    return subprocess.Popen(
        [sys.executable, "manage.py", "tenant", *arguments],
        cwd=REPOSITORY,
        env=environment | {"PLAZA_FILES": str(default_storage.location)},  # type: ignore[attr-defined]
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def has_begun() -> bool:
    """Some table is dropped already."""
    erasure = Erasure.objects.first()
    return erasure is not None and len(erasure.steps["tables"]["counts"]) >= 2


def wait_until_nobody_erases() -> None:
    """The dead process's connection, and its lock with it, go as soon as the server notices."""
    with closing(owner_connection()) as owner:
        for _ in range(200):
            row = owner.execute(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database ="
                " (SELECT oid FROM pg_database WHERE datname = current_database())"
            ).fetchone()
            if row == (0,):
                return
            time.sleep(0.05)
