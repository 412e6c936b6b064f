"""What a tenant may see and do of its entitlements and its usage."""

from config.rights import Function, TableRights

CONSUME = Function(
    signature="consume(text, text, text, text, text, text, text, text)",
    sql="""
CREATE OR REPLACE FUNCTION plaza.consume(
    tenant text, meter text, key text, quantity text, period text, at text, "limit" text, seal text
) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
-- 'counted:' and the new total; 'known' when the key has counted before; 'refused' past the limit (NULL is none).
DECLARE
    units bigint := quantity::bigint;
    allowed bigint := "limit"::bigint;
    used_now bigint;
BEGIN
    PERFORM plaza.check_seal(
        seal, 'consume', tenant, meter, key, quantity, period, at, "limit"
    );
    PERFORM plaza.check_tenant(tenant::uuid);
    INSERT INTO public.quotas_usageevent
        (tenant_id, meter, key, kind, quantity, period_start, occurred_at)
    VALUES (tenant::uuid, consume.meter, consume.key, 'consumed', units,
            period::timestamptz, at::timestamptz)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN 'known';
    END IF;
    -- The limit is compared inside the UPDATE: two writers that both saw one unit left would
    -- otherwise both take it.
    INSERT INTO public.quotas_usagetotal AS total (tenant_id, meter, period_start, used)
    SELECT tenant::uuid, consume.meter, period::timestamptz, units
     WHERE allowed IS NULL OR units <= allowed
    ON CONFLICT (tenant_id, meter, period_start) DO UPDATE
       SET used = total.used + excluded.used
     WHERE allowed IS NULL OR total.used + excluded.used <= allowed
    RETURNING total.used INTO used_now;
    IF FOUND THEN
        RETURN 'counted:' || used_now;
    END IF;
    -- A writer may catch the refusal and commit what it has: the key must stay unused.
    DELETE FROM public.quotas_usageevent AS event
     WHERE event.tenant_id = tenant::uuid AND event.meter = consume.meter
       AND event.key = consume.key AND event.kind = 'consumed';
    RETURN 'refused';
END $$;
""",
)
REFUND = Function(
    signature="refund(text, text, text, text, text, text, text)",
    sql="""
CREATE OR REPLACE FUNCTION plaza.refund(
    tenant text, meter text, key text, quantity text, period text, at text, seal text
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    -- The period in which the key took them, if it did; else the present one.
    taken_in timestamptz;
    known bigint;
    given bigint;
BEGIN
    PERFORM plaza.check_seal(seal, 'refund', tenant, meter, key, quantity, period, at);
    PERFORM plaza.check_tenant(tenant::uuid);
    SELECT event.period_start INTO taken_in FROM public.quotas_usageevent AS event
     WHERE event.tenant_id = tenant::uuid AND event.meter = refund.meter
       AND event.key = refund.key AND event.kind = 'consumed';
    taken_in := coalesce(taken_in, period::timestamptz);
    SELECT total.used INTO known FROM public.quotas_usagetotal AS total
     WHERE total.tenant_id = tenant::uuid AND total.meter = refund.meter
       AND total.period_start = taken_in
       FOR UPDATE;
    -- The event keeps what was really given back, so that events always add up to the total.
    given := least(quantity::bigint, coalesce(known, 0));
    INSERT INTO public.quotas_usageevent
        (tenant_id, meter, key, kind, quantity, period_start, occurred_at)
    VALUES (tenant::uuid, refund.meter, refund.key, 'refunded', given, taken_in, at::timestamptz)
    ON CONFLICT DO NOTHING;
    IF FOUND THEN
        UPDATE public.quotas_usagetotal AS total SET used = total.used - given
         WHERE total.tenant_id = tenant::uuid AND total.meter = refund.meter
           AND total.period_start = taken_in;
    END IF;
END $$;
""",
)

RIGHTS = (
    TableRights("quotas_grant", stall="SELECT", lookup=True),
    TableRights("quotas_hold", stall="SELECT", lookup=True),
    TableRights("quotas_usagetotal", stall="SELECT"),
    TableRights("quotas_usageevent", stall="SELECT"),
    TableRights("quotas_apicallmark", stall="SELECT"),
    TableRights("quotas_explanation", stall="SELECT"),
    TableRights("quotas_usageday", stall="SELECT"),
    TableRights("quotas_alertsetting", stall="SELECT"),
    TableRights("quotas_usagealert", stall="SELECT"),
)
KEEPER_TABLES = ("quotas_usagetotal", "quotas_usageevent")
FUNCTIONS = (CONSUME, REFUND)
