"""The SQL for a cluster: exactly what Citus documents, and of nobody else's names."""

import pytest

from tenants.citus import provisioning
from tenants.roles import NotAStall

STALL = "t_" + "0a" * 16


def test_each_statement_is_the_documented_one():
    assert (
        provisioning.distribute_sql(STALL)
        == f"SELECT citus_schema_distribute('{STALL}'::regnamespace);"
    )
    assert provisioning.undistribute_sql(STALL) == (
        f"SELECT citus_schema_undistribute('{STALL}'::regnamespace);"
    )
    assert provisioning.move_sql(STALL, node="node-2.internal", port=5433) == (
        f"SELECT citus_schema_move('{STALL}'::regnamespace, 'node-2.internal', 5433, 'auto');"
    )
    assert provisioning.role_sql(STALL) == f'ALTER ROLE "{STALL}" LOGIN PASSWORD NULL;'
    assert provisioning.reference_sql("billing_plan") == (
        "SELECT create_reference_table('public.billing_plan');"
    )
    assert STALL in provisioning.is_distributed_sql(STALL)


@pytest.mark.parametrize("schema", ["public", "t_1", "x'; DROP ROLE y; --", f"{STALL}\n"])
def test_no_other_schema_gets_into_a_statement(schema):
    for make in (
        provisioning.distribute_sql,
        provisioning.undistribute_sql,
        provisioning.is_distributed_sql,
        provisioning.role_sql,
    ):
        with pytest.raises(NotAStall):
            make(schema)
    with pytest.raises(NotAStall):
        provisioning.move_sql(schema, node="n")


@pytest.mark.parametrize(
    ("node", "port"), [("", 5432), ("a'b", 5432), ("a b", 5432), ("a", 0), ("a;", 1)]
)
def test_a_node_that_is_no_address_is_refused(node, port):
    with pytest.raises(ValueError, match="no node's address"):
        provisioning.move_sql(STALL, node=node, port=port)


@pytest.mark.parametrize("table", ["", "a b", "a'", "A", "public.a"])
def test_a_table_that_is_no_name_is_refused(table):
    with pytest.raises(ValueError, match="no public table"):
        provisioning.reference_sql(table)
