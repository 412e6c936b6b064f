"""What keeps the ledger: keys made again from restored events, and what goes with a month that is dropped."""

from config.rights import Function

REBUILD_KEYS = Function(
    signature="rebuild_usage_keys(uuid)",
    is_inner=True,
    sql="""
CREATE OR REPLACE FUNCTION plaza.rebuild_usage_keys(tenant uuid)
RETURNS void LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
-- A restored tenant's keys: those that end with an id have become others.
INSERT INTO public.quotas_usagekey (tenant_id, digest, event_id, recorded_at)
SELECT tenant, plaza.usage_digest(
           event.kind, CASE WHEN event.kind IN ('reported', 'corrected') THEN '' ELSE event.meter END,
           event.key), event.id, event.recorded_at
  FROM public.quotas_usageevent AS event WHERE event.tenant_id = tenant
ON CONFLICT DO NOTHING
$$;
""",
)
