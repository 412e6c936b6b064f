"""Which statements may write, and so are marked before they are sent (tenants/engine/writes.py)."""

import pytest

from tenants.engine.writes import is_plain_read


@pytest.mark.parametrize(
    ("statement", "is_read"),
    [
        ('SELECT "crm_contact"."updated_at" FROM "crm_contact"', True),
        (" (SELECT 1) UNION (SELECT 2)", True),
        ("SAVEPOINT s1", True),
        ("SELECT plaza.consume(%s)", False),
        ("SELECT 1 FOR UPDATE", False),
        ("WITH gone AS (DELETE FROM t RETURNING 1) SELECT 1", False),
        ("insert into t values (1)", False),
        ("SELECT 1 INTO t", False),
        ("SELECT nextval('s')", False),
        ("CREATE TABLE t ()", False),
        (b"SELECT 1", False),
    ],
)
def test_in_doubt_a_statement_writes(statement, is_read):
    assert is_plain_read(statement) is is_read
