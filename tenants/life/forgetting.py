"""The tenant's rows of public go, in small batches; then people of no other tenant; its own row last."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.utils.module_loading import import_string
from psycopg import sql

from config.context import TenantRef, bound_tenant
from tenants.life.journal import Journal, Tell
from tenants.life.public_rows import (
    PEOPLE,
    TENANTS,
    Rows,
    exists,
    remove,
    rows_of_people,
    rows_of_tenant,
)

_BATCH = 5_000
_PEOPLE_BATCH = 100
_MEMBERS = "tenants_member"
_PAGE = """
SELECT p.id FROM public.tenants_person p
 WHERE p.kind = 'member' AND p.id > %s
   AND p.id IN (SELECT m.person_id FROM public.tenants_member m WHERE m.tenant_id = %s)
 ORDER BY p.id LIMIT %s
"""
# Locked before they are judged: who becomes a member elsewhere meanwhile has to wait, and finds nobody.
_LOCK = "SELECT p.id FROM public.tenants_person p WHERE p.id = ANY(%s) ORDER BY p.id FOR UPDATE"
_OF_NO_OTHER = """
SELECT asked.person FROM unnest(%s::uuid[]) AS asked(person)
 WHERE NOT EXISTS (
     SELECT FROM public.tenants_member m WHERE m.person_id = asked.person AND m.tenant_id <> %s
 )
"""
_NOBODY = UUID(int=0)
_SESSIONS = "django_session"


def forget_people(journal: Journal, tenant_id: UUID) -> None:
    """People who are members of no other tenant, with all that is theirs. Operators are no members."""
    owner, last = journal.owner, _NOBODY
    theirs = [*rows_of_people(owner), Rows(PEOPLE, sql.SQL("id = ANY(%(people)s)"))]
    while page := [row[0] for row in owner.execute(_PAGE, [last, tenant_id, _PEOPLE_BATCH])]:
        # Looked at one by one, since a transaction that touches them all would hold too many locks.
        held = [rows for rows in theirs if exists(owner, rows, {"people": page})]
        journal.patiently(_forgetting(journal, tenant_id, held, page))
        last = page[-1]


def _forgetting(
    journal: Journal, tenant_id: UUID, held: list[Rows], page: list[UUID]
) -> Callable[[], None]:
    owner = journal.owner

    def forget() -> None:
        owner.execute(_LOCK, [page])
        people = [row[0] for row in owner.execute(_OF_NO_OTHER, [page, tenant_id])]
        for rows in held if people else []:
            gone = remove(owner, rows, {"people": people}, most=1_000_000)
            if gone and not rows.let_go:
                step = "people" if rows.table == PEOPLE else "public"
                journal.count(step, rows.table, gone)

    return forget


def forget_rows(journal: Journal, tenant_id: UUID, tell: Tell) -> None:
    """The tenant's rows of public, in batches of 5,000, each in a transaction of its own; all but its members."""
    forget_sessions(journal, tenant_id)
    for rows in rows_of_tenant(journal.owner):
        if rows.table != _MEMBERS:
            _remove_all(journal, rows, tenant_id)
            tell(f"public.{rows.table} cleared")


def _remove_all(journal: Journal, rows: Rows, tenant_id: UUID) -> None:
    gone = _BATCH
    while gone == _BATCH:
        gone = journal.patiently(_removing(journal, rows, tenant_id))


def _removing(journal: Journal, rows: Rows, tenant_id: UUID) -> Callable[[], int]:
    def removing() -> int:
        gone = remove(journal.owner, rows, {"tenant": tenant_id}, most=_BATCH)
        if gone and not rows.let_go:
            journal.count("public", rows.table, gone)
        return gone

    return removing


def _opens(store: Any, data: str) -> bool:
    """Whether a session was sealed for the tenant in force (config/sessions.py)."""
    try:
        signing.loads(data, salt=store.key_salt, serializer=store.serializer)
    except signing.BadSignature:
        return False
    return True


def forget_sessions(journal: Journal, tenant_id: UUID) -> None:
    """Browsers' sessions at the tenant: they are sealed with its id, so the seal tells whose they are."""
    owner = journal.owner
    found = owner.execute("SELECT to_regclass('public.django_session') IS NOT NULL").fetchone()
    if not (found and found[0]):
        return
    store = import_string(f"{settings.SESSION_ENGINE}.SessionStore")()
    after = ""
    while True:
        page: list[tuple[Any, ...]] = owner.execute(
            "SELECT session_key, session_data FROM public.django_session"
            " WHERE session_key > %s ORDER BY session_key LIMIT %s",
            [after, _BATCH],
        ).fetchall()
        with bound_tenant(TenantRef(tenant_id, "", f"t_{tenant_id.hex}")):
            theirs = [key for key, data in page if _opens(store, data)]
        facts = {"keys": theirs}
        of_page = Rows(_SESSIONS, sql.SQL("session_key = ANY(%(keys)s)"))
        with owner.transaction():
            if gone := remove(owner, of_page, facts, most=_BATCH):
                journal.count("public", _SESSIONS, gone)
        if len(page) < _BATCH:
            return
        after = page[-1][0]


def forget_tenant(journal: Journal, tenant_id: UUID) -> None:
    """Its members (of the people who stay), then the tenant's own row: its slug is free from here on."""
    for rows in rows_of_tenant(journal.owner):
        _remove_all(journal, rows, tenant_id)

    def forget() -> None:
        its_own = Rows(TENANTS, sql.SQL("id = %(tenant)s"))
        if gone := remove(journal.owner, its_own, {"tenant": tenant_id}, most=1):
            journal.count("tenant", TENANTS, gone)

    journal.patiently(forget)
