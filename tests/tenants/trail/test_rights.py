"""Nobody who serves requests can rewrite a trail, forge a row of it, or write in another's name."""

import pytest
from django.db import DatabaseError, connection, transaction

from config.context import Place, at_place
from config.seals import seal as seal_of
from config.seals import sealed as sealed_call
from tenants.isolation import square_context, tenant_context
from tenants.models import OPERATORS
from tests.tenants.trail.chains import fault_of, names, sealed

pytestmark = pytest.mark.django_db(transaction=True)
WRITES = [
    "UPDATE trail_event SET object_id = 'x'",
    "DELETE FROM trail_event",
    "TRUNCATE trail_event",
    "INSERT INTO trail_event SELECT * FROM trail_event",
    "ALTER TABLE trail_event ADD COLUMN x int",
    "UPDATE public.tenants_trailhead SET number = 0",
    "DELETE FROM public.tenants_trailhead",
    "DELETE FROM public.tenants_trailpending",
    "SELECT * FROM public.tenants_trailpending",
    "INSERT INTO public.tenants_operatorevent (number) VALUES (1)",
    "SELECT plaza.record_trail('{tenant}', '[]', 'forged')",
    "SELECT plaza.seal_trail('{tenant}', '10', 'forged')",
]


def refusals_of(*statements: str) -> list[str]:
    """What PostgreSQL says to each, by the name of its error; "done" where it says nothing."""
    told = []
    for statement in statements:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)
            told.append("done")
        except DatabaseError as refused:
            told.append(type(refused.__cause__).__name__)
    return told


def test_neither_a_tenants_role_nor_the_squares_can_rewrite_a_trail(acme):
    sealed(acme, "a")

    with tenant_context(acme):
        tenants = refusals_of(*(statement.format(tenant=acme.id) for statement in WRITES))
    with square_context():
        squares = refusals_of(*(one.format(schema=acme.schema_name) for one in SQUARES))

    assert tenants == ["InsufficientPrivilege"] * len(WRITES)
    assert squares == ["InsufficientPrivilege"] * len(SQUARES)
    assert (names(acme), fault_of(acme.id)) == (["a"], "")


SQUARES = [
    "UPDATE public.tenants_trailhead SET number = 0",
    "INSERT INTO public.tenants_trailpending SELECT * FROM public.tenants_trailpending",
    "DELETE FROM public.tenants_trailpending",
    "DELETE FROM public.tenants_operatorevent",
    "UPDATE public.tenants_operatorevent SET action = 'x'",
    "TRUNCATE public.tenants_operatorevent",
    'DELETE FROM "{schema}".trail_event',
    'SELECT * FROM "{schema}".trail_event',
]


def test_no_role_that_signs_in_and_no_function_may_change_or_delete_a_row(acme):
    with at_place(Place.SQUARE), connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT r.rolname::text, c.relname::text, p.privilege
              FROM pg_class AS c CROSS JOIN pg_roles AS r
             CROSS JOIN (VALUES ('UPDATE'), ('DELETE'), ('TRUNCATE')) AS p (privilege)
             WHERE c.relname IN ('trail_event', 'tenants_operatorevent') AND c.relkind = 'r'
               AND c.relowner <> r.oid AND NOT r.rolsuper AND r.rolname !~ '^pg_' AND NOT pg_has_role(r.oid, c.relowner, 'USAGE')
               AND has_table_privilege(r.oid, c.oid, p.privilege)
            """
        )
        assert cursor.fetchall() == []


def test_a_tenant_cannot_record_or_seal_in_anothers_name_even_with_a_good_seal(acme, globex):
    for function, arguments in (
        ("record_trail", (str(globex.id), "[]")),
        ("record_trail", (str(OPERATORS), f'[{{"about_tenant_id": "{globex.id}"}}]')),
        ("record_trail", (str(OPERATORS), "[{}]")),
        ("seal_trail", (str(globex.id), "10")),
    ):
        statement, parameters = sealed_call(function, *arguments)
        with (
            tenant_context(acme),
            pytest.raises(DatabaseError, match="another tenant"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement, parameters)


def test_a_seal_of_another_text_is_refused(acme):
    good = seal_of("record_trail", str(acme.id), '[{"action": "a"}]')
    call = "SELECT plaza.record_trail(%s, %s, %s)"
    with (
        tenant_context(acme),
        pytest.raises(DatabaseError, match="seal is not ours"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(call, [str(acme.id), '[{"action": "b"}]', good])
