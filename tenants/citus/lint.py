"""Which of our statements Citus would refuse, or answer differently, when each tenant's schema is one shard.

A statement about one schema alone is sent whole to that schema's node and may be as PostgreSQL allows
(joins, window functions, FOR UPDATE, correlated subqueries, modifying WITH). The rules are about the rest.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tenants.citus import rules
from tenants.citus.names import Names
from tenants.citus.reading import Statement, read

_EXPECTED = "citusdata/citus, src/test/regress/expected/query_single_shard_table.out"
_MANUAL = "https://docs.citusdata.com/en/stable/develop/reference_workarounds.html"
_PARAMETERS = "https://docs.citusdata.com/en/stable/develop/api_guc.html"


@dataclass(frozen=True, slots=True)
class Violation:
    """`is_refused` tells whether Citus raises an error; else the statement runs, and not as meant."""

    rule: str
    why: str
    source: str
    sql: str
    is_refused: bool = True


@dataclass(frozen=True, slots=True)
class Rule:
    name: str
    source: str
    check: Callable[[Statement, Names], str]
    is_refused: bool = True


def lint(sql: str, names: Names) -> list[Violation]:
    """What is wrong with one statement on a cluster; [] where nothing is."""
    statement = read(sql)
    return [
        Violation(rule.name, why, rule.source, " ".join(sql.split()), rule.is_refused)
        for rule in RULES
        if (why := rule.check(statement, names))
    ]


RULES: tuple[Rule, ...] = (
    Rule("crosses-schemas", _EXPECTED, rules.crosses_schemas),
    Rule("two-stalls", _EXPECTED, rules.two_stalls),
    Rule("volatile-in-change", _EXPECTED, rules.volatile_in_change),
    Rule("stable-of-columns", _MANUAL, rules.stable_of_columns),
    Rule(
        "mutable-in-case",
        "citus: multi_router_planner.c, ErrorIfUnsupported…",
        rules.mutable_in_case,
    ),
    Rule("mutable-in-returning", _EXPECTED, rules.mutable_in_returning),
    Rule("query-in-values", _MANUAL, rules.query_in_values),
    Rule("numbers-from-own-rows", _EXPECTED, rules.numbers_from_own_rows),
    Rule("ours-with-rows", _EXPECTED, rules.ours_with_rows),
    Rule("lock-with-rows", _MANUAL, rules.lock_with_rows, is_refused=False),
    Rule("temporary", "create_single_shard_table.out", rules.temporary),
    Rule("isolation-level", _MANUAL, rules.isolation_level, is_refused=False),
    Rule("local-setting", _PARAMETERS, rules.local_setting, is_refused=False),
)
