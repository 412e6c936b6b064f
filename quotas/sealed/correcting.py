"""A correction of what was reported."""

from config.rights import Function

CORRECT = Function(
    signature=f"correct_usage({', '.join(['text'] * 12)})",
    sql="""
CREATE OR REPLACE FUNCTION plaza.correct_usage(
    id text, tenant text, event text, meter text, key text, quantity text, reason text, at text,
    "limit" text, aggregation text, budget text, seal text
) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
-- 'corrected:' and the total of the event's period before and after, of a capped budget also what was
-- spent before and after; 'known' (the key has been used); 'below_zero'; 'refused' past the limit, or
-- 'refused:<spent>' past the budget's cap.
DECLARE
    original record;
    standing bigint;
    change bigint := quantity::bigint;
    allowed bigint := "limit"::bigint;
    capped jsonb := budget::jsonb;
    spent_before bigint;
    spent text := '';
    before bigint;
    after bigint;
BEGIN
    PERFORM plaza.check_seal(
        seal, 'correct_usage', id, tenant, event, meter, key, quantity, reason, at, "limit",
        aggregation, budget
    );
    PERFORM plaza.check_tenant(tenant::uuid);
    PERFORM pg_advisory_xact_lock(hashtextextended(tenant, 1));
    IF capped IS NOT NULL THEN
        spent_before := plaza.lock_spend(tenant::uuid, capped);
    END IF;
    SELECT stored.* INTO STRICT original FROM public.quotas_usageevent AS stored
     WHERE stored.tenant_id = tenant::uuid AND stored.id = correct_usage.event::uuid
       AND stored.meter = correct_usage.meter AND stored.kind = 'reported';
    INSERT INTO public.quotas_usagekey (tenant_id, digest, event_id, recorded_at)
    VALUES (tenant::uuid, plaza.usage_digest('corrected', '', correct_usage.key),
            correct_usage.id::uuid, at::timestamptz)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN 'known';
    END IF;
    SELECT original.quantity + coalesce(sum(earlier.quantity), 0) INTO standing
      FROM public.quotas_usageevent AS earlier
     WHERE earlier.tenant_id = tenant::uuid AND earlier.corrects = original.id;
    IF standing + change < 0 THEN
        RAISE SQLSTATE 'PZ002';
    END IF;
    SELECT total.used INTO STRICT before FROM public.quotas_usagetotal AS total
     WHERE total.tenant_id = tenant::uuid AND total.meter = original.meter
       AND total.period_start = original.period_start
       FOR UPDATE;
    INSERT INTO public.quotas_usageevent
        (tenant_id, id, recorded_at, meter, key, kind, quantity, period_start, occurred_at,
         corrects, reason)
    VALUES (tenant::uuid, correct_usage.id::uuid, at::timestamptz, original.meter,
            correct_usage.key, 'corrected', change, original.period_start, original.occurred_at,
            original.id, correct_usage.reason);
    IF aggregation = 'sum' THEN
        after := before + change;
        UPDATE public.quotas_usagetotal AS total SET used = after
         WHERE total.tenant_id = tenant::uuid AND total.meter = original.meter
           AND total.period_start = original.period_start;
    ELSIF aggregation = 'unique' THEN
        -- An event of a value stands for one, or for none any more.
        IF standing > 0 AND standing + change = 0 THEN
            PERFORM plaza.forget_usage_value(
                tenant::uuid, original.meter, original.period_start, original.value);
        ELSIF standing = 0 AND NOT plaza.count_usage(
            tenant::uuid, original.meter, original.period_start, 1, allowed, 'unique',
            original.value, original.occurred_at) THEN
            RAISE SQLSTATE 'PZ001';
        END IF;
    ELSE
        after := plaza.recount_usage(
            tenant::uuid, original.meter, original.period_start, aggregation);
    END IF;
    IF after > before AND after > allowed THEN
        RAISE SQLSTATE 'PZ001';
    END IF;
    SELECT total.used INTO STRICT after FROM public.quotas_usagetotal AS total
     WHERE total.tenant_id = tenant::uuid AND total.meter = original.meter
       AND total.period_start = original.period_start;
    IF capped IS NOT NULL THEN
        spent := ':' || spent_before || ':'
              || plaza.settle_spend(tenant::uuid, capped, spent_before);
    END IF;
    RETURN 'corrected:' || before || ':' || after || spent;
EXCEPTION
    WHEN SQLSTATE 'PZ001' THEN RETURN 'refused';
    WHEN SQLSTATE 'PZ002' THEN RETURN 'below_zero';
    WHEN SQLSTATE 'PZ003' THEN RETURN 'refused:' || spent_before;
END $$;
""",
)
