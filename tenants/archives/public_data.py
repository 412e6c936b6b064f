"""What of public goes into an archive, and what of it comes back: never credentials, keys or live subscriptions."""

import re

from psycopg import sql

from tenants.archives.tables import Owner, Table, order_of, table_of
from tenants.life.public_rows import kept_tables, tables_with_tenant

# Credentials, sealed answers, what a provider calls a customer, and our own bookkeeping.
_NEVER = frozenset(
    {
        "billing_providercommand",
        "billing_providerdifference",
        "billing_providertransaction",
        "billing_subscription",
        "billing_webhookevent",
        "config_keptanswer",
        "quotas_apicallmark",
        "quotas_explanation",
        "quotas_usagekey",  # made again from the events
        "tenants_apikey",
        "tenants_archive",
        "tenants_crossingcode",
        "tenants_datakey",
        "tenants_domainclaim",
        "tenants_mail",
        "tenants_mailedproof",
        "tenants_restoration",
        "tenants_ssoconnection",
        "tenants_ssodomain",
        "tenants_ssoidentity",
        "tenants_tenantversion",
        "tenants_webhookdelivery",
    }
)
_SECRET = re.compile(r"password|secret|hash|token|seal|proof|credential|(^|_)key_|^provider_")
# Members go with their people's e-mail and name, in a file of their own.
_TOLD_ELSEWHERE = frozenset({"tenants_member"})
# What a restored tenant gets back. The rest is for its people to read.
RESTORED = (
    *("quotas_alertsetting", "quotas_spendcap"),
    *("quotas_usageevent", "quotas_usagetotal", "quotas_usagevalue"),
    # With them the audit trail, which is a table of the tenant's, can be proved there as here.
    *("tenants_trailhead", "tenants_trailpending"),
)
MEMBER_COLUMNS = ("member_id", "person_id", "email", "name", "locale", "role")
_MEMBERS = """
SELECT m.id AS member_id, p.id AS person_id, p.email, p.name, p.locale, m.role
  FROM public.tenants_member m JOIN public.tenants_person p ON p.id = m.person_id
 WHERE m.tenant_id = {} ORDER BY m.id
"""


def public_tables(owner: Owner) -> list[Table]:
    """The tables of public whose rows go into an archive; each has a `tenant_id`."""
    left_out = _NEVER | _TOLD_ELSEWHERE | kept_tables()
    return [
        table_of(owner, "public", name)
        for name in tables_with_tenant(owner)
        if name not in left_out
    ]


def open_columns(table: Table) -> tuple[str, ...]:
    """The names of its columns that hold no secret."""
    return tuple(name for name in table.column_names if not _SECRET.search(name))


def rows_query(table: Table, tenant_id: str) -> sql.Composed:
    """The tenant's rows of a table of public."""
    return sql.SQL("SELECT {} FROM {} WHERE tenant_id = {} ORDER BY {}").format(
        sql.SQL(", ").join(map(sql.Identifier, open_columns(table))),
        table.identifier,
        sql.Literal(tenant_id),
        order_of(table),
    )


def members_query(tenant_id: str) -> sql.Composed:
    """The tenant's members and who they are, without anything by which they sign in."""
    return sql.SQL(_MEMBERS).format(sql.Literal(tenant_id))
