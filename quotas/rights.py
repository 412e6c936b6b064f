"""What a tenant may see and do of its entitlements and its usage."""

from config.rights import TableRights
from quotas.sealed import consuming, correcting, counting, reporting, spending, upkeep

RIGHTS = (
    TableRights("quotas_grant", stall="SELECT", lookup=True),
    TableRights("quotas_hold", stall="SELECT", lookup=True),
    TableRights("quotas_usagetotal", stall="SELECT"),
    TableRights("quotas_usageevent", stall="SELECT"),
    TableRights("quotas_usagekey", stall="SELECT"),
    TableRights("quotas_usagevalue"),
    TableRights("quotas_apicallmark", stall="SELECT"),
    TableRights("quotas_apicallshare"),
    TableRights("quotas_explanation", stall="SELECT"),
    TableRights("quotas_usageday", stall="SELECT"),
    TableRights("quotas_alertsetting", stall="SELECT"),
    TableRights("quotas_usagealert", stall="SELECT"),
    TableRights("quotas_spendcap", stall="SELECT", lookup=True),
    TableRights("quotas_spend", stall="SELECT"),
)
KEEPER_TABLES = (
    "quotas_usagetotal",
    "quotas_usageevent",
    "quotas_usagekey",
    "quotas_usagevalue",
    "quotas_spend",
)
# Each after those that it calls.
FUNCTIONS = (
    counting.DIGEST,
    counting.COUNT,
    counting.RECOUNT,
    counting.FORGET_VALUE,
    spending.WEIGHT,
    spending.SPENT,
    spending.LOCK,
    spending.LOCK_ALL,
    spending.FIND,
    spending.SETTLE,
    consuming.TAKE,
    consuming.CONSUME,
    consuming.REFUND,
    reporting.REPORT_ALL,
    reporting.REPORT_ONE,
    reporting.REPORT_EACH,
    reporting.PRESENT,
    reporting.REPORT,
    correcting.CORRECT,
    upkeep.REBUILD_KEYS,
)
