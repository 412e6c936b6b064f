"""A body that is streamed is made when the middleware has returned: still as its own tenant."""

import asyncio
from typing import Any

import pytest
from django.test import Client

from config import context
from config.context import current_tenant
from tenants.isolation import tenant_context
from tenants.services import host_of
from tests.tenants import streamed_pages

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_streamed_pages")]


def right(tenant) -> str:
    return f"{tenant.slug} {tenant.schema_name} {tenant.schema_name}"


def answers_of(page: str, tenants: tuple[Any, Any]) -> list[Any]:
    return [Client(headers={"Host": host_of(tenant.slug)}).get(page) for tenant in tenants]


@pytest.fixture
def _streamed_pages(acme, globex, settings, monkeypatch):
    """In a process that answers for tenants, where nothing runs without a place."""
    monkeypatch.setattr(context, "_serving", True)
    settings.ROOT_URLCONF = "tests.tenants.streamed_pages"
    streamed_pages.CLOSED.clear()


def test_a_streamed_body_is_made_and_closed_as_its_own_tenant(acme, globex):
    answers = answers_of("/streamed", (acme, globex))
    bodies = [iter(answer.streaming_content) for answer in answers]

    # Part by part in turn, on one thread, when both requests are over.
    parts = [next(body) for _ in range(3) for body in bodies]
    for answer in answers:
        answer.close()

    assert parts == [f"{right(tenant)}\n".encode() for tenant in (acme, globex)] * 3
    assert [right(acme), right(globex)] == streamed_pages.CLOSED
    assert current_tenant() is None


def test_a_body_that_nobody_read_to_its_end_is_closed_as_its_own_tenant(acme, globex):
    (ours, _) = answers_of("/streamed", (acme, globex))
    next(iter(ours.streaming_content))

    with tenant_context(globex):
        ours.close()

    assert [right(acme)] == streamed_pages.CLOSED


def test_an_async_body_is_made_as_its_own_tenant(acme, globex):
    answers = answers_of("/streamed-async", (acme, globex))

    async def in_turn() -> list[bytes]:
        bodies = [aiter(answer.streaming_content) for answer in answers]
        return [await anext(body) for _ in range(3) for body in bodies]

    parts = asyncio.run(in_turn())

    assert parts == [f"{right(tenant)}\n".encode() for tenant in (acme, globex)] * 3
