"""The table of checks, and the two things to do with it: examine, mend."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import psycopg

from config.logs import logger
from tenants.doctor import (
    declared,
    declared_grants,
    declared_roles,
    declared_walls,
    drift,
    grants,
    half_made,
    leftovers,
    lifecycle,
    on_citus,
    orphans,
    role_attributes,
    shared_keys,
    stall_rights,
    strays,
    trails,
    walls,
)
from tenants.doctor.findings import Check, Finding, Level, Mend, Patient
from tenants.engine.owner import owner_connection

log = logger(__name__)
_ERROR, _WARNING = Level.ERROR, Level.WARNING

CHECKS: tuple[Check, ...] = (
    Check("schema_drifted", _ERROR, drift.drifted),
    Check("schema_without_tenant", _WARNING, orphans.schemas_without_tenant),
    Check("role_without_tenant", _WARNING, orphans.roles_without_tenant),
    Check("tenant_without_schema", _ERROR, orphans.tenants_without_schema),
    Check("tenant_without_role", _ERROR, orphans.tenants_without_role),
    Check("tenant_without_host", _ERROR, orphans.tenants_without_host),
    Check("ready_half_made", _ERROR, orphans.ready_half_made),
    Check("ready_claimed_unused", _WARNING, orphans.ready_claimed_unused),
    Check("files_of_nobody", _WARNING, leftovers.files),
    Check("redis_keys_of_nobody", _WARNING, leftovers.redis_keys),
    Check("role_missing", _ERROR, role_attributes.missing),
    Check("role_too_mighty", _ERROR, role_attributes.too_mighty),
    Check("role_sign_in", _ERROR, role_attributes.wrong_sign_in),
    Check("role_inherits", _ERROR, role_attributes.inheriting),
    Check("role_in_foreign_group", _ERROR, role_attributes.foreign_members),
    Check("role_without_group", _ERROR, role_attributes.missing_members),
    Check("role_setting", _ERROR, declared_roles.settings_differing),
    Check("role_membership", _ERROR, declared_roles.memberships_differing),
    Check("role_limited", _ERROR, declared_roles.limits_differing),
    Check("tenant_role_setting", _ERROR, stall_rights.settings),
    Check("tenant_role_membership", _ERROR, stall_rights.memberships),
    Check("tenant_role_limited", _ERROR, stall_rights.limits),
    # Before what prepare mends: it may alter only what is the owner's.
    Check("owner_wrong", _ERROR, strays.owners),
    Check("grant_outside", _ERROR, grants.outside_own_schema),
    Check("grant_to_stranger", _ERROR, grants.to_strangers),
    Check("grant_missing", _ERROR, stall_rights.missing),
    Check("grant_excessive", _ERROR, stall_rights.excessive),
    Check("declared_unreadable", _ERROR, declared.unreadable),
    Check("grant_undeclared", _ERROR, declared_grants.unexpected),
    Check("grant_lacking", _ERROR, declared_grants.lacking),
    Check("public_may", _ERROR, grants.to_public),
    Check("catalogs_open", _WARNING, grants.catalogs),
    Check("row_security_off", _ERROR, walls.row_security),
    Check("policy_undeclared", _ERROR, declared_walls.policies_undeclared),
    Check("policy_differs", _ERROR, declared_walls.policies_differing),
    Check("policy_missing", _ERROR, declared_walls.policies_missing),
    Check("function_undeclared", _ERROR, declared_walls.functions_undeclared),
    Check("function_differs", _ERROR, declared_walls.functions_differing),
    Check("function_missing", _ERROR, declared_walls.functions_missing),
    Check("view_undeclared", _ERROR, strays.views),
    Check("trigger_undeclared", _ERROR, declared_walls.triggers_undeclared),
    Check("trigger_differs", _ERROR, declared_walls.triggers_differing),
    Check("trigger_missing", _ERROR, declared_walls.triggers_missing),
    Check("rule_undeclared", _ERROR, strays.rules),
    Check("event_trigger_undeclared", _ERROR, strays.event_triggers),
    Check("default_privileges", _ERROR, strays.default_privileges),
    Check("definer_loose", _ERROR, walls.definer_functions),
    Check("key_leaves_schema", _ERROR, walls.keys_that_leave),
    Check("table_in_both", _ERROR, walls.names_in_both),
    Check("schema_not_distributed", _ERROR, on_citus.undistributed),
    Check("api_key_shared", _ERROR, shared_keys.api_keys),
    Check("session_shared", _ERROR, shared_keys.sessions),
    Check("refresh_family_shared", _ERROR, shared_keys.refresh_families),
    Check("secret_shared", _ERROR, shared_keys.secrets),
    Check("password_shared", _ERROR, shared_keys.passwords),
    Check("trail_broken", _ERROR, trails.broken_chains),
    Check("trail_unsealed", _WARNING, trails.unsealed),
    Check("set_aside", _ERROR, lifecycle.set_aside),
    Check("version_behind", _WARNING, lifecycle.behind),
    Check("signup_unfinished", _WARNING, half_made.sign_ups),
    Check("import_unfinished", _WARNING, half_made.imports),
    Check("reserved_by_nobody", _WARNING, half_made.reservations),
    Check("erasure_overdue", _ERROR, lifecycle.overdue_erasures),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """`refused` pairs what the server did not let us mend with its reason."""

    mended: list[Finding]
    refused: list[tuple[Finding, str]]


def examine(
    *, now: datetime, tenant_id: UUID | None = None, codes: frozenset[str] = frozenset()
) -> list[Finding]:
    """Every finding, in the order of the table; of one tenant, or of some checks, on request.

    Reads only. Raises NoOwner in a process without the owner's sign-in.
    """
    with owner_connection() as connection:
        patient = Patient(connection, now)
        found = [
            Finding(check.code, check.level, fault)
            for check in CHECKS
            if not codes or check.code in codes
            for fault in check.find(patient)
        ]
    return [one for one in found if tenant_id is None or one.fault.tenant_id == tenant_id]


def mend(findings: list[Finding], *, now: datetime) -> Outcome:
    """Mend what is safe to mend, each by itself; the others stay for a person. Harmless twice."""
    outcome = Outcome([], [])
    # One deed may mend several: it is done once.
    done: set[Mend] = set()
    with owner_connection() as connection:
        patient = Patient(connection, now)
        for finding in findings:
            if finding.fault.mend is None:
                continue
            try:
                if finding.fault.mend not in done:
                    finding.fault.mend(patient)
                    done.add(finding.fault.mend)
            except psycopg.Error as error:
                # Some cures need a superuser, or a lock that is held: the others go on.
                outcome.refused.append((finding, str(error).partition("\n")[0]))
                log.warning("doctor.mending_refused", extra={"code": finding.code})
            else:
                outcome.mended.append(finding)
                log.info("doctor.mended", extra={"code": finding.code})
    return outcome
