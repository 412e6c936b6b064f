"""A trail in an archive, in the tenant that is made of it, and after an erasure."""

from datetime import UTC, datetime

import pytest

from billing.services import copies
from tenants.trail.sealing import seal
from tests.tenants.endings import furnished, imported, own_files, quiet  # noqa: F401
from tests.tenants.trail.chains import act, fault_of, names

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_files")]


def test_an_audit_trail_comes_along_to_the_letter_and_is_proved_there_as_here(tmp_path):
    sol = furnished("sol")
    act(sol, "a", "b")
    seal(sol.id)
    act(sol, "waits")
    here = names(sol)
    to = tmp_path / "trail.zip"
    copies.export_to(tenant_id=sol.id, to=to, now=datetime.now(UTC), tell=quiet)

    nova = imported(to, plan="starter")

    assert names(nova) == here
    assert fault_of(nova.id) == ""
    seal(nova.id)
    assert names(nova)[len(here) :] == ["waits", "", str(nova.id)]
    assert (fault_of(nova.id), names(sol)) == ("", here)
