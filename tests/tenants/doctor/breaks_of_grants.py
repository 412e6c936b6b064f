"""Grants that nobody declares, and declared ones that are gone: how each is planted, and what is said of it."""

from quotas.sealed import consuming

CONSUME, REFUND = (f"plaza.{each.signature}" for each in (consuming.CONSUME, consuming.REFUND))
# Each is its code, how it is planted, and what is said of it.
GRANTS = {
    "a table for the tenants' group": (
        "grant_undeclared",
        "GRANT SELECT ON public.tenants_person TO plaza_tenants",
        "plaza_tenants has SELECT on TABLE public.tenants_person,",
    ),
    "a column for the tenants' group": (
        "grant_undeclared",
        "GRANT SELECT (password) ON public.tenants_person TO plaza_tenants",
        "plaza_tenants has SELECT on COLUMN public.tenants_person (password),",
    ),
    "rights that can be handed on": (
        "grant_undeclared",
        "GRANT SELECT ON public.quotas_hold TO plaza_tenants WITH GRANT OPTION",
        "plaza_tenants has GRANT OPTION FOR SELECT on TABLE public.quotas_hold,",
    ),
    "a table that lookup may write": (
        "grant_undeclared",
        "GRANT UPDATE ON public.tenants_tenant TO plaza_lookup",
        "plaza_lookup has UPDATE on TABLE public.tenants_tenant,",
    ),
    "a table that the keeper does not keep": (
        "grant_undeclared",
        "GRANT SELECT ON public.tenants_person TO plaza_keeper",
        "plaza_keeper has SELECT on TABLE public.tenants_person,",
    ),
    "SQL that the owner replays, for the square": (
        "grant_undeclared",
        "GRANT INSERT ON public.tenants_template TO plaza_square",
        "plaza_square has INSERT on TABLE public.tenants_template,",
    ),
    "a table for the web's sign-in": (
        "grant_undeclared",
        "GRANT SELECT ON public.tenants_tenant TO plaza_web",
        "plaza_web has SELECT on TABLE public.tenants_tenant,",
    ),
    "the key of the seals": (
        "grant_undeclared",
        "GRANT SELECT ON plaza.seal_key TO PUBLIC",
        "PUBLIC has SELECT on TABLE plaza.seal_key,",
    ),
    "a sequence": (
        "grant_undeclared",
        "GRANT UPDATE ON SEQUENCE public.django_migrations_id_seq TO plaza_square",
        "plaza_square has UPDATE on SEQUENCE public.django_migrations_id_seq,",
    ),
    "a sealed function for everybody": (
        "grant_undeclared",
        f"GRANT EXECUTE ON FUNCTION {CONSUME} TO PUBLIC",
        "PUBLIC has EXECUTE on ROUTINE plaza.consume(",
    ),
    "a schema to make functions in": (
        "grant_undeclared",
        "GRANT CREATE ON SCHEMA plaza TO plaza_tenants",
        "plaza_tenants has CREATE on SCHEMA plaza,",
    ),
    "the template": (
        "grant_undeclared",
        "GRANT USAGE ON SCHEMA template TO plaza_tenants",
        "plaza_tenants has USAGE on SCHEMA template,",
    ),
    "a type": (
        "grant_undeclared",
        "CREATE SCHEMA odd; CREATE TYPE odd.mood AS ENUM ('a'); GRANT USAGE ON TYPE odd.mood TO plaza_web",
        "plaza_web has USAGE on TYPE odd.mood,",
    ),
    "temporary tables for the group": (
        "grant_undeclared",
        "GRANT TEMPORARY ON DATABASE {database} TO plaza_tenants",
        "plaza_tenants has TEMPORARY on DATABASE {database},",
    ),
    "a table that the tenants need": (
        "grant_lacking",
        "REVOKE SELECT ON public.quotas_grant FROM plaza_tenants",
        "plaza_tenants lacks SELECT on TABLE public.quotas_grant.",
    ),
    "a sealed function that the tenants need": (
        "grant_lacking",
        f"REVOKE EXECUTE ON FUNCTION {CONSUME} FROM plaza_tenants",
        "plaza_tenants lacks EXECUTE on ROUTINE plaza.consume(",
    ),
    "a table of the square": (
        "grant_lacking",
        "REVOKE DELETE ON public.tenants_domain FROM plaza_square",
        "plaza_square lacks DELETE on TABLE public.tenants_domain.",
    ),
    "a sequence of the square": (
        "grant_lacking",
        "REVOKE USAGE ON SEQUENCE public.tenants_domain_id_seq FROM plaza_square",
        "plaza_square lacks USAGE on SEQUENCE public.tenants_domain_id_seq.",
    ),
    "a schema": (
        "grant_lacking",
        "REVOKE USAGE ON SCHEMA ext FROM plaza_lookup",
        "plaza_lookup lacks USAGE on SCHEMA ext.",
    ),
    "the database": (
        "grant_lacking",
        "REVOKE CONNECT ON DATABASE {database} FROM plaza_lookup",
        "plaza_lookup lacks CONNECT on DATABASE {database}.",
    ),
}
