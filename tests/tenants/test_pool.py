"""Our pool: a connection stays with its tenant, is bound anew when it must, and is never another's."""

import threading
from functools import partial
from typing import Any

import pytest
from django.db import connection as tests_connection
from django.db import connections, transaction

from config.context import TenantRef
from tenants.engine import pool as pools
from tenants.engine.base import DatabaseWrapper
from tenants.engine.bindings import Binding, owner_binding, parameters, stall_binding
from tenants.engine.pool import Pool
from tenants.engine.refusals import CrossedInTransaction, NoConnectionLeft
from tenants.isolation import lookup_context, on_square, tenant_context
from tests.conftest import ACME_ID, GLOBEX_ID
from tests.owner import owners_cursor

pytestmark = pytest.mark.django_db(transaction=True)
ACME = TenantRef(ACME_ID, "acme", f"t_{ACME_ID.hex}")
GLOBEX = TenantRef(GLOBEX_ID, "globex", f"t_{GLOBEX_ID.hex}")


@pytest.fixture
def wrapper(request: pytest.FixtureRequest) -> Any:
    """The product's own engine on the test database, with a pool of two."""
    made = DatabaseWrapper(dict(tests_connection.settings_dict) | {"POOL_SIZE": 2}, "default")
    pool = Pool(2)
    made._pool = lambda: pool  # type: ignore[method-assign]  # the process's own is of another size
    yield made
    made.close()
    pool.close_idle()


def open_as(wrapper: Any, binding: Binding) -> Any:
    """A connection beside the pool, by the binding's sign-in."""
    given = parameters(binding, wrapper.get_connection_params())
    return wrapper.Database.connect(**given, autocommit=True)


def whoami(wrapper: Any) -> tuple[int, str, str]:
    """Of the backend: its process, its role, and its first schema."""
    with wrapper.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid(), current_user::text, current_schema()::text")
        found: tuple[int, str, str] = cursor.fetchone()
    wrapper.close()
    return found


def test_a_connection_stays_with_its_tenant(wrapper):
    with tenant_context(ACME):
        first = whoami(wrapper)
    with tenant_context(GLOBEX):
        second = whoami(wrapper)
    with tenant_context(ACME):
        again = whoami(wrapper)

    assert first == again == (first[0], ACME.schema, ACME.schema)
    assert second == (second[0], GLOBEX.schema, GLOBEX.schema)
    assert first[0] != second[0]


def test_the_one_idle_for_longest_is_bound_anew_and_remembers_nothing(wrapper):
    with tenant_context(ACME):
        with wrapper.cursor() as cursor:
            cursor.execute("SET application_name = 'of acme'")
        acme = whoami(wrapper)
    with tenant_context(GLOBEX):
        whoami(wrapper)
    with on_square():
        with wrapper.cursor() as cursor:
            cursor.execute("SHOW application_name")
            name = cursor.fetchone()[0]
        square = whoami(wrapper)

    assert name == "plaza"
    assert square[1:] == ("plaza_square", "public")
    # One sign-in: the same backend goes on. A sign-in of the square's own: another one.
    is_shared = stall_binding(ACME.schema).user == tests_connection.settings_dict["USER"]
    assert is_shared or square[0] != acme[0]


def test_a_worn_connection_is_closed(wrapper, monkeypatch):
    monkeypatch.setattr(pools, "MOST_BINDINGS", 1)
    with tenant_context(ACME):
        first = whoami(wrapper)
        second = whoami(wrapper)

    assert first[0] != second[0]


def test_a_connection_that_the_server_closed_costs_a_retry_and_no_error(wrapper):
    with tenant_context(ACME):
        killed = whoami(wrapper)[0]
        # By its own sign-in, which may; a tenant's role may not.
        with open_as(wrapper, wrapper.wanted_binding()) as same:
            same.execute("SELECT pg_terminate_backend(%s, 5000)", [killed])
        assert whoami(wrapper)[0] != killed


def test_one_that_the_server_closed_costs_no_error_where_it_is_bound_anew_either(wrapper):
    killed = []
    for tenant in (ACME, GLOBEX):
        with tenant_context(tenant):
            killed.append(whoami(wrapper)[0])
    with owners_cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid, 5000) FROM unnest(%s) AS pid", [killed])
    with lookup_context():
        assert whoami(wrapper)[0] not in killed


def test_a_transaction_does_not_cross_places(wrapper, monkeypatch):
    storage: Any = connections._connections  # type: ignore[attr-defined]
    monkeypatch.setattr(storage, "default", wrapper)
    with tenant_context(ACME), transaction.atomic():
        with wrapper.cursor() as cursor:
            cursor.execute("SELECT 1")
        with on_square(), pytest.raises(CrossedInTransaction), wrapper.cursor():
            pass


def test_whoever_finds_every_connection_in_use_is_told_so(monkeypatch):
    monkeypatch.setattr(pools, "PATIENCE_SECONDS", 0.1)
    pool = Pool(1)
    open_new = partial(open_as, DatabaseWrapper(dict(tests_connection.settings_dict), "default"))
    taken = pool.take(owner_binding("public"), open_new)
    with pytest.raises(NoConnectionLeft):
        pool.take(owner_binding("public"), open_new)
    pool.give_back(taken)
    assert pool.take(owner_binding("public"), open_new) is taken
    taken.connection.close()


def test_a_thread_that_ends_with_a_connection_in_hand_does_not_keep_its_place(monkeypatch):
    monkeypatch.setattr(pools, "PATIENCE_SECONDS", 0.1)
    pool = Pool(1)
    open_new = partial(open_as, DatabaseWrapper(dict(tests_connection.settings_dict), "default"))
    thread = threading.Thread(target=pool.take, args=(owner_binding("public"), open_new))
    thread.start()
    thread.join()

    pool.take(owner_binding("public"), open_new).connection.close()


def test_a_tenant_uses_no_more_connections_than_its_share(wrapper, monkeypatch):
    monkeypatch.setattr(pools, "PATIENCE_SECONDS", 0.1)
    pool = Pool(3)
    open_new = partial(open_as, wrapper)
    share = stall_binding(ACME.schema, most_connections=1)
    first = pool.take(share, open_new)

    with pytest.raises(NoConnectionLeft):
        pool.take(share, open_new)
    pool.give_back(pool.take(stall_binding(GLOBEX.schema), open_new))
    pool.give_back(first)
    assert pool.take(share, open_new) is first
    first.connection.close()
    pool.close_idle()


def test_threads_that_change_tenants_never_read_anothers(wrapper):
    pool = Pool(3)
    wrong: list[Any] = []

    def read(number: int) -> None:
        mine = DatabaseWrapper(dict(tests_connection.settings_dict), "default")
        mine._pool = lambda: pool  # type: ignore[method-assign]
        for turn in range(50):
            tenant = (ACME, GLOBEX)[(number + turn) % 2]
            with tenant_context(tenant):
                found = whoami(mine)
            if found[1:] != (tenant.schema, tenant.schema):
                wrong.append(found)

    threads = [threading.Thread(target=read, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pool.close_idle()

    assert wrong == []
