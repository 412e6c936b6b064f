"""The sealer beside 64 writers, beside itself, and killed in the middle: no row lost, doubled or out of order."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from tenants.models import TrailPending
from tenants.trail.sealing import seal, seal_all
from tests.processes import environment_here
from tests.stack import REPOSITORY
from tests.tenants.trail.chains import act, as_owner, fault_of, names, numbers

pytestmark = pytest.mark.django_db(transaction=True)
WRITERS, EACH = 64, 10
SEALER = """
import django; django.setup()
from uuid import UUID
from tenants.trail.sealing import seal
print("ready", flush=True)
while True:
    seal(UUID("{chain}"))
"""


def test_of_64_writers_beside_four_sealers_none_is_lost_and_each_writers_order_stays(acme):
    is_over = threading.Event()

    def write(number: int) -> None:
        for turn in range(EACH):
            act(acme, f"{number:02}-{turn}")
        connection.close()

    def sealer(_: int) -> None:
        while not is_over.is_set():
            seal(acme.id)
        connection.close()

    with ThreadPoolExecutor(4) as sealers, ThreadPoolExecutor(WRITERS) as writers:
        at_work = [sealers.submit(sealer, number) for number in range(4)]
        list(writers.map(write, range(WRITERS)))
        is_over.set()
        for each in at_work:
            each.result()
    seal_all()

    written = names(acme)
    assert numbers(acme) == list(range(1, WRITERS * EACH + 1))
    for number in range(WRITERS):
        mine = [name for name in written if name.startswith(f"{number:02}-")]
        assert mine == [f"{number:02}-{turn}" for turn in range(EACH)]
    assert (TrailPending.objects.count(), fault_of(acme.id)) == (0, "")


def test_a_sealer_that_is_killed_hard_leaves_all_of_a_turn_or_nothing(acme):
    for round_ in range(3):
        as_owner(
            "INSERT INTO public.tenants_trailpending (id, tenant_id, recorded_at, body)"
            f" SELECT gen_random_uuid(), '{acme.id}', clock_timestamp(), jsonb_build_object("
            "'action', 'contact.deleted', 'actor_kind', 'system', 'object_kind', 'contact',"
            f" 'object_id', '{round_}-' || n, 'object_label', '', 'address', '', 'user_agent', '',"
            " 'request_id', '', 'before', '{}'::jsonb, 'after', '{}'::jsonb)"
            " FROM generate_series(1, 2000) AS n"
        )
        before = len(numbers(acme))
        sealer = subprocess.Popen(
            [sys.executable, "-c", SEALER.format(chain=acme.id)],
            env=environment_here(), cwd=REPOSITORY, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert sealer.stdout is not None
        assert sealer.stdout.readline() == "ready\n"
        while len(numbers(acme)) == before:
            pass
        sealer.kill()
        sealer.wait()

        assert len(numbers(acme)) + TrailPending.objects.count() == 2_000 * (round_ + 1)
        assert fault_of(acme.id) == ""

    left = TrailPending.objects.count()
    assert seal_all() == left
    assert numbers(acme) == list(range(1, 6_001))
    assert (len(set(names(acme))), fault_of(acme.id)) == (6_000, "")
