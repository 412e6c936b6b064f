"""Wherever work goes on - threads, async code, after the commit, in a streamed body - it is the right tenant's or refused."""

import ast
import asyncio
import contextvars
import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.cache import cache
from django.core.exceptions import SynchronousOnlyOperation
from django.core.files.storage import default_storage
from django.db import connections, transaction

from apps.crm.models import Contact
from config import context
from config.context import CrossedContexts, NoPlace, current_tenant, require_tenant
from tenants.engine.refusals import BuiltElsewhere, CrossedInTransaction
from tenants.isolation import on_square, square_context, tenant_context
from tests.factories import ContactFactory
from tests.stack import REPOSITORY
from tests.tenants.streamed_pages import whoami
from tests.test_house import OURS, sources

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _serving(acme, globex, monkeypatch):
    """From here on this process answers for tenants, as the web server does."""
    monkeypatch.setattr(context, "_serving", True)


def right(tenant) -> str:
    return f"{tenant.slug} {tenant.schema_name} {tenant.schema_name}"


def asked(question: Callable[[], Any]) -> Any:
    """The answer, or the exception; the thread's connection is left closed."""
    try:
        return question()
    except Exception as error:  # noqa: BLE001 - it is the answer
        return type(error)
    finally:
        connections.close_all()


def in_thread(work: Callable[[], Any]) -> Any:
    answers: list[Any] = []
    thread = threading.Thread(target=lambda: answers.append(asked(work)))
    thread.start()
    thread.join()
    return answers[0]


# --- threads ------------------------------------------------------------------------------------------


def test_a_thread_started_without_the_request_s_context_reads_nothing(acme):
    with tenant_context(acme):
        found = [
            in_thread(whoami),
            in_thread(Contact.objects.count),
            in_thread(lambda: cache.get("k")),
            in_thread(lambda: default_storage.exists(f"{acme.id}/a")),
        ]

    assert found == [NoPlace] * 4


def test_a_thread_in_a_copy_of_the_context_is_the_tenant_s(acme, globex):
    for tenant in (acme, globex):
        with tenant_context(tenant):
            here = contextvars.copy_context()
        assert in_thread(partial(here.run, whoami)) == right(tenant)


def test_a_pool_s_thread_does_not_keep_the_tenant_whom_it_served_last(acme, globex):
    def serve(tenant) -> Any:
        with tenant_context(tenant):
            return asked(whoami)

    with ThreadPoolExecutor(1) as pool:
        found = [pool.submit(serve, tenant).result() for tenant in (acme, globex)]
        after = pool.submit(asked, whoami).result()

    assert (found, after) == ([right(acme), right(globex)], NoPlace)


def test_a_command_has_the_square(monkeypatch, db):
    monkeypatch.setattr(context, "_serving", False)
    assert whoami() == "nobody plaza_square public"


# --- async --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("thread_sensitive", [True, False])
def test_coroutines_of_different_tenants_at_once_each_read_their_own(
    thread_sensitive, acme, globex
):
    ask = sync_to_async(asked, thread_sensitive=thread_sensitive)

    async def visit(tenant, number: int) -> tuple[str, str, Any]:
        with tenant_context(tenant):
            await asyncio.sleep(number % 7 / 1000)
            before = require_tenant().slug
            try:
                Contact.objects.count()
            except SynchronousOnlyOperation as error:
                return before, await ask(whoami), type(error)
            raise AssertionError

    async def everybody() -> list[tuple[str, str, Any]]:
        return await asyncio.gather(*(visit((acme, globex)[n % 2], n) for n in range(60)))

    found = asyncio.run(everybody())

    # Straight from the event loop Django asks nothing at all.
    expected = [(t.slug, right(t), SynchronousOnlyOperation) for t in (acme, globex)]
    assert found == expected * 30
    assert current_tenant() is None


def test_a_coroutine_outside_of_every_tenant_reads_nothing(db):
    assert asyncio.run(sync_to_async(asked)(whoami)) is NoPlace


# --- after the commit ---------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_what_runs_after_the_commit_is_the_tenant_s_who_promised_it(acme, globex):
    heard: list[str] = []
    with tenant_context(acme):
        block = transaction.atomic()
        block.__enter__()
        ContactFactory()
        transaction.on_commit(lambda: heard.append(whoami()))
    with tenant_context(globex):  # nobody should; and still nobody's work becomes another's
        block.__exit__(None, None, None)
    with tenant_context(acme), on_square(), transaction.atomic():
        transaction.on_commit(lambda: heard.append(whoami()))
    with tenant_context(acme), transaction.atomic():
        transaction.on_commit(lambda: heard.append("after a rollback"))
        transaction.set_rollback(True)

    assert heard == [right(acme), "acme plaza_square public"]


@pytest.mark.django_db(transaction=True)
def test_a_transaction_goes_on_for_nobody_else(acme, globex):
    with tenant_context(acme), transaction.atomic():
        ContactFactory()
        for other in (tenant_context(globex), square_context()):
            with other, pytest.raises(CrossedInTransaction):
                whoami()
        assert whoami() == right(acme)


# --- generators ---------------------------------------------------------------------------------------


def test_a_generator_s_query_is_refused_under_another_tenant(acme, globex):
    def emails(rows: Any) -> Iterator[str]:
        for contact in rows.iterator():
            yield contact.email

    with tenant_context(acme):
        ContactFactory()
        found = emails(Contact.objects.all())
        again = emails(Contact.objects.all())
    with tenant_context(globex), pytest.raises(BuiltElsewhere):
        list(found)
    with pytest.raises(BuiltElsewhere):
        list(again)


def test_of_contexts_left_in_another_order_none_comes_back(acme, globex):
    def opened(tenant) -> Generator[None, None, None]:
        with tenant_context(tenant):
            yield

    ours, theirs = opened(acme), opened(globex)
    with square_context():
        next(ours)
        next(theirs)
        with pytest.raises(CrossedContexts):
            ours.close()
        assert whoami() == right(globex)
        theirs.close()
        assert whoami() == "nobody plaza_square public"
    with pytest.raises(NoPlace):
        whoami()


def test_no_generator_of_ours_holds_a_context_open_while_others_work():
    """Between two values the context would be the consumer's too: `@contextmanager` alone may."""
    opening = {"tenant_context", "square_context", "on_square", "lookup_context", "owner_context", "at_place"}  # fmt: skip
    found = []
    for path in sources(*OURS):
        for function in ast.walk(ast.parse(path.read_text())):
            if not isinstance(function, ast.FunctionDef) or any(
                getattr(each, "id", "") == "contextmanager" for each in function.decorator_list
            ):
                continue
            for block in ast.walk(function):
                names = {
                    getattr(getattr(item.context_expr, "func", None), "id", "")
                    for item in getattr(block, "items", [])
                }
                if names & opening and any(
                    isinstance(node, ast.Yield | ast.YieldFrom) for node in ast.walk(block)
                ):
                    found.append(f"{path.relative_to(REPOSITORY)}:{function.lineno}")
    assert found == []
