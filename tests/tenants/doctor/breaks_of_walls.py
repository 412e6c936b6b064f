"""Policies, sealed functions and roles that are not as declared: how each is planted, and what is said of it."""

from quotas.sealed import consuming

CONSUME, REFUND = (f"plaza.{each.signature}" for each in (consuming.CONSUME, consuming.REFUND))
ENQUEUE = "plaza.enqueue(text, text, text, text, text)"
# Each is its code, how it is planted, and what is said of it.
WALLS = {
    "rows of all": (
        "policy_differs",
        "ALTER POLICY own ON public.quotas_grant USING (true)",
        "The policy public.quotas_grant.own is not as declared: all to plaza_tenants using true ",
    ),
    "rows that are written for another": (
        "policy_differs",
        "ALTER POLICY own ON public.quotas_hold WITH CHECK (true)",
        "The policy public.quotas_hold.own is not as declared:",
    ),
    "rows for everybody": (
        "policy_differs",
        "ALTER POLICY whole ON public.quotas_grant TO PUBLIC",
        "The policy public.quotas_grant.whole is not as declared: all to PUBLIC using true ",
    ),
    "one command instead of all": (
        "policy_differs",
        "DROP POLICY lookup ON public.quotas_grant;"
        " CREATE POLICY lookup ON public.quotas_grant TO plaza_lookup USING (true)",
        "The policy public.quotas_grant.lookup is not as declared: all to plaza_lookup ",
    ),
    "a restriction": (
        "policy_differs",
        "DROP POLICY own ON public.quotas_usagetotal; CREATE POLICY own ON public.quotas_usagetotal AS RESTRICTIVE"
        " TO plaza_tenants USING (tenant_id = substr(current_user::text, 3)::uuid)",
        "The policy public.quotas_usagetotal.own is not as declared: restrictive all ",
    ),
    "one policy too many": (
        "policy_undeclared",
        "CREATE POLICY wide ON public.quotas_grant FOR SELECT TO plaza_tenants USING (true)",
        "Nobody declares the policy public.quotas_grant.wide: select to plaza_tenants using true ",
    ),
    "one policy too few": (
        "policy_missing",
        "DROP POLICY own ON public.quotas_usageevent",
        "The policy public.quotas_usageevent.own is missing: all to plaza_tenants ",
    ),
    "a seal that is not looked at": (
        "function_differs",
        "CREATE OR REPLACE FUNCTION plaza.check_seal(seal text, VARIADIC parts text[]) RETURNS void"
        " LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS 'BEGIN END'",
        "The function plaza.check_seal(pg_catalog.text,pg_catalog.text[]) is not as declared:",
    ),
    "a function that is not the keeper's": (
        "function_differs",
        f"ALTER FUNCTION {REFUND} OWNER TO CURRENT_USER",
        "The function plaza.refund(",
    ),
    "a function that runs as its caller": (
        "function_differs",
        f"ALTER FUNCTION {ENQUEUE} SECURITY INVOKER",
        "The function plaza.enqueue(",
    ),
    "a function with its caller's path": (
        "function_differs",
        f"ALTER FUNCTION {CONSUME} RESET search_path",
        "The function plaza.consume(",
    ),
    "a function that is gone": (
        "function_missing",
        "DROP FUNCTION plaza.dequeue(text, text)",
        "The function plaza.dequeue(pg_catalog.text,pg_catalog.text) is missing.",
    ),
    "a trigger that is switched off": (
        "trigger_differs",
        "ALTER TABLE public.billing_invoice DISABLE TRIGGER rewriting",
        "The trigger rewriting on public.billing_invoice is not as declared: ",
    ),
    "a trigger that is gone": (
        "trigger_missing",
        "DROP TRIGGER balanced ON public.billing_posting",
        "The trigger balanced on public.billing_posting is missing.",
    ),
    "a setting of a sign-in, here": (
        "role_setting",
        "ALTER ROLE plaza_square IN DATABASE {database} SET search_path = odd, public",
        "The role plaza_square IN DATABASE {database} has a setting that nobody declares: search_path = odd, public.",
    ),
    "a setting of a role, everywhere": (
        "role_setting",
        "ALTER ROLE plaza_keeper SET row_security = off",
        "The role plaza_keeper has a setting that nobody declares: row_security = off.",
    ),
    "a declared setting that is gone": (
        "role_setting",
        "ALTER ROLE plaza_square RESET search_path",
        "search_path of the role plaza_square is not set, not public, ext.",
    ),
    "the keeper's rights for lookup": (
        "role_membership",
        "GRANT plaza_keeper TO plaza_lookup",
        "plaza_lookup is a member of plaza_keeper, which nothing declares.",
    ),
    "a sign-in that may let others in": (
        "role_membership",
        "GRANT plaza_lookup TO plaza_web WITH ADMIN OPTION",
        "plaza_web is a member of plaza_lookup with admin true",
    ),
    "a limit": (
        "role_limited",
        "ALTER ROLE plaza_lookup CONNECTION LIMIT 1000",
        "The role plaza_lookup has CONNECTION LIMIT 1000 VALID UNTIL 'infinity';",
    ),
    "what the next table gives": (
        "default_privileges",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO plaza_tenants",
        "plaza_tenants gets SELECT on all tables that plaza_owner makes in schema \"public\".",
    ),
    "a table of the square's own": (
        "owner_wrong",
        "GRANT CREATE ON SCHEMA public TO plaza_lookup; ALTER TABLE public.tenants_domainclaim OWNER TO plaza_lookup;"
        " REVOKE CREATE ON SCHEMA public FROM plaza_lookup",
        "The table public.tenants_domainclaim is plaza_lookup's, not plaza_owner's.",
    ),
}  # fmt: skip
