"""How rows are chained: one text of SQL, for the sealer's function and for whoever proves the chain.

digest(n) = hex(SHA-256(the text of jsonb [digest(n-1), number, id, recorded_at, action, …, after])), the
columns in the order of COLUMNS, moments in UTC as YYYY-MM-DD"T"HH24:MI:SS.US. The first follows on
hex(SHA-256("plaza.trail:" + the tenant's id)).
"""

from uuid import UUID

# A row's columns that the writer gives, in the order of the digest.
TOLD = (
    *("action", "actor_kind", "actor_id", "person_id", "operator_id", "about_tenant_id"),
    *("object_kind", "object_id", "object_label", "address", "user_agent", "request_id"),
    *("before", "after"),
)
COLUMNS = ("number", "id", "recorded_at", *TOLD)
UUIDS = frozenset({"actor_id", "person_id", "operator_id", "about_tenant_id"})
DOCUMENTS = frozenset({"before", "after"})
TENANTS_TABLE = "trail_event"
OPERATORS_TABLE = "tenants_operatorevent"


def digest_sql(*, previous: str, row: str) -> str:
    """SQL for the digest of the row `row` (an alias or a record) that follows on the digest `previous`."""
    values = ", ".join(_as_told(name, f"{row}.{name}") for name in COLUMNS)
    told = f"pg_catalog.jsonb_build_array({previous}, {values})::text"
    return f"encode(sha256(convert_to({told}, 'UTF8')), 'hex')"


def beginning_sql(chain: str) -> str:
    """SQL for what the first row of a chain follows on; `chain` is SQL of its id, a uuid."""
    return f"encode(sha256(convert_to('plaza.trail:' || {chain}::text, 'UTF8')), 'hex')"


def table_of(chain: UUID) -> str:
    """Where a chain's rows stand, as SQL."""
    if chain.int == 0:
        return f"public.{OPERATORS_TABLE}"
    return f"t_{chain.hex}.{TENANTS_TABLE}"


def _as_told(name: str, value: str) -> str:
    if name == "recorded_at":
        return f"to_char({value} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US')"
    return value
