"""A unit is taken before the work, kept with its result, and given back where there is none."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection, transaction

from apps.content.models import Kind, Piece
from apps.content.providers.offline import OfflineWriter
from apps.content.providers.writer import Draft, LanguageUnknown, Order
from apps.content.services import generation
from config.errors import ServiceUnavailable
from config.models import OutboxMessage
from config.needs import Meter
from quotas import ledger
from quotas.refusals import QuotaExceeded
from quotas.reserving import LEASE
from quotas.tasks import give_back
from tenants.isolation import on_square, square_context, tenant_context

WISH = generation.Wish(kind=Kind.TEXT, prompt="Write about our spring sale.", language="en")
METER = Meter.TEXT_GENERATIONS


class Writer(OfflineWriter):
    """Does something of the test's first; `asked` counts how often it was begun."""

    def __init__(self, first: Callable[[], Any]) -> None:
        self.first = first
        self.asked = 0

    def write(self, order: Order) -> Draft:
        self.asked += 1
        self.first()
        return super().write(order)


def leave(tenant: Any, left: int, now: datetime) -> None:
    found = ledger.remaining(tenant_id=tenant.id, meter=METER, now=now)
    assert found is not None
    ledger.consume(tenant_id=tenant.id, meter=METER, quantity=found - left, key="others", now=now)


def leases() -> int:
    return OutboxMessage.objects.filter(task="quotas.give_back").count()


def remaining(tenant: Any) -> int | None:
    return ledger.remaining(tenant_id=tenant.id, meter=METER, now=datetime.now(UTC))


def generate(tenant: Any, writer: Writer, now: datetime) -> Any:
    with tenant_context(tenant):
        return generation.generate(wish=WISH, by_id=None, now=now, writer=writer)


@pytest.mark.django_db(transaction=True)
def test_of_eight_at_once_with_two_units_left_two_begin_and_no_other(
    globex: Any, now: datetime
) -> None:
    with on_square(), transaction.atomic():
        leave(globex, 2, now)
    refused = threading.Semaphore(0)
    # Neither is written before the six others have their answer.
    writer = Writer(lambda: [refused.acquire(timeout=30) for _ in range(3)])

    def attempt(_: int) -> str:
        try:
            generate(globex, writer, now)
        except QuotaExceeded as refusal:
            refused.release()
            return refusal.code
        finally:
            connection.close()
        return "written"

    with ThreadPoolExecutor(8) as pool:
        answers = sorted(pool.map(attempt, range(8)))
    assert answers == ["quota_exceeded"] * 6 + ["written"] * 2
    assert (writer.asked, remaining(globex)) == (2, 0)


@pytest.mark.django_db
@pytest.mark.parametrize("fault", [LanguageUnknown(("en",)), RuntimeError("the engine broke")])
def test_an_engine_that_fails_gives_its_unit_back_and_leaves_nothing_behind(
    globex: Any, now: datetime, fault: Exception
) -> None:
    leave(globex, 1, now)

    def fail() -> None:
        assert remaining(globex) == 0
        raise fault

    with pytest.raises(Exception, match=r"engine broke|validation_failed"):
        generate(globex, Writer(fail), now)

    assert (remaining(globex), leases()) == (1, 0)
    generate(globex, Writer(lambda: None), now)
    assert (remaining(globex), leases()) == (0, 0)


@pytest.mark.django_db
def test_a_lease_that_ended_gives_its_unit_back_once_and_what_comes_late_is_not_kept(
    globex: Any, now: datetime
) -> None:
    leave(globex, 1, now)

    def sweep() -> None:
        with square_context():
            message = OutboxMessage.objects.get(task="quotas.give_back")
            assert message.created_at == now + LEASE
            arguments = dict(message.arguments)
            message.delete()
            give_back(**arguments)
            give_back(**arguments)

    with pytest.raises(ServiceUnavailable):
        generate(globex, Writer(sweep), now)

    with tenant_context(globex):
        assert Piece.objects.count() == 0
    assert remaining(globex) == 1
