"""What a writer's own transaction calls: `consume` and `refund`."""

from config.rights import Function

TAKE = Function(
    signature="take_usage(uuid, uuid, text, text, bigint, timestamptz, timestamptz, bigint, text, text, jsonb)",
    is_inner=True,
    sql="""
CREATE OR REPLACE FUNCTION plaza.take_usage(
    id uuid, tenant uuid, meter text, key text, quantity bigint, period timestamptz, at timestamptz,
    allowed bigint, aggregation text, value text, cause jsonb
) RETURNS text LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
-- 'counted:' and the new total; 'known' when the key has counted before; 'refused' past the limit (NULL is none).
DECLARE
    mark uuid := plaza.usage_digest('consumed', meter, key);
    counted_value uuid := plaza.usage_digest('', '', value);
BEGIN
    INSERT INTO public.quotas_usagekey (tenant_id, digest, event_id, recorded_at)
    VALUES (tenant, mark, take_usage.id, at)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN 'known';
    END IF;
    IF NOT plaza.count_usage(
        tenant, take_usage.meter, period, quantity, allowed, aggregation, counted_value, at
    ) THEN
        -- A writer may catch the refusal and commit what it has: the key must stay unused.
        DELETE FROM public.quotas_usagekey AS known
         WHERE known.tenant_id = tenant AND known.digest = mark;
        RETURN 'refused';
    END IF;
    INSERT INTO public.quotas_usageevent
        (tenant_id, id, recorded_at, meter, key, kind, quantity, period_start, occurred_at, value,
         app, member_id, api_key_id, campaign_id)
    VALUES (tenant, take_usage.id, at, take_usage.meter, take_usage.key, 'consumed',
            take_usage.quantity, period, at, counted_value,
            coalesce(cause->>'app', ''), (cause->>'member')::uuid, (cause->>'api_key')::uuid,
            (cause->>'campaign')::uuid);
    RETURN 'counted:' || (
        SELECT total.used FROM public.quotas_usagetotal AS total
         WHERE total.tenant_id = tenant AND total.meter = take_usage.meter
           AND total.period_start = period);
END $$;
""",
)
CONSUME = Function(
    signature=f"consume({', '.join(['text'] * 13)})",
    sql="""
CREATE OR REPLACE FUNCTION plaza.consume(
    id text, tenant text, meter text, key text, quantity text, period text, at text,
    "limit" text, aggregation text, value text, cause text, budget text,
    seal text
) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
-- As take_usage; under a capped budget also 'counted:<total>:<spent before>:<spent>', and
-- 'refused:<spent>' past the cap.
DECLARE
    capped jsonb := budget::jsonb;
    before bigint;
    answer text;
BEGIN
    PERFORM plaza.check_seal(
        seal, 'consume', id, tenant, meter, key, quantity, period, at, "limit", aggregation, value,
        cause, budget
    );
    PERFORM plaza.check_tenant(tenant::uuid);
    IF capped IS NULL THEN
        RETURN plaza.take_usage(
            id::uuid, tenant::uuid, meter, key, quantity::bigint, period::timestamptz,
            at::timestamptz, "limit"::bigint, aggregation, value, cause::jsonb);
    END IF;
    before := plaza.lock_spend(tenant::uuid, capped);
    BEGIN
        answer := plaza.take_usage(
            id::uuid, tenant::uuid, meter, key, quantity::bigint, period::timestamptz,
            at::timestamptz, "limit"::bigint, aggregation, value, cause::jsonb);
        IF left(answer, 8) = 'counted:' THEN
            answer := answer || ':' || before || ':'
                   || plaza.settle_spend(tenant::uuid, capped, before);
        END IF;
        RETURN answer;
    EXCEPTION WHEN SQLSTATE 'PZ003' THEN
        RETURN 'refused:' || before;
    END;
END $$;
""",
)
REFUND = Function(
    signature=f"refund({', '.join(['text'] * 9)})",
    sql="""
CREATE OR REPLACE FUNCTION plaza.refund(
    id text, tenant text, meter text, key text, quantity text, period text, at text,
    aggregation text, seal text
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    original record;
    taken_in timestamptz;
    left_in bigint;
    given bigint;
BEGIN
    PERFORM plaza.check_seal(
        seal, 'refund', id, tenant, meter, key, quantity, period, at, aggregation
    );
    PERFORM plaza.check_tenant(tenant::uuid);
    INSERT INTO public.quotas_usagekey (tenant_id, digest, event_id, recorded_at)
    VALUES (tenant::uuid, plaza.usage_digest('refunded', refund.meter, refund.key),
            refund.id::uuid, at::timestamptz)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT event.* INTO original
      FROM public.quotas_usagekey AS known JOIN public.quotas_usageevent AS event
        ON event.tenant_id = known.tenant_id AND event.id = known.event_id
       AND event.recorded_at = known.recorded_at
     WHERE known.tenant_id = tenant::uuid
       AND known.digest = plaza.usage_digest('consumed', refund.meter, refund.key);
    -- The period in which the key took them, if it did; else the present one.
    taken_in := coalesce(original.period_start, period::timestamptz);
    SELECT total.used INTO left_in FROM public.quotas_usagetotal AS total
     WHERE total.tenant_id = tenant::uuid AND total.meter = refund.meter
       AND total.period_start = taken_in AND aggregation = 'sum'
       FOR UPDATE;
    -- The event keeps what was really given back, so that events always add up to the total.
    given := least(refund.quantity::bigint,
                   coalesce(CASE aggregation WHEN 'sum' THEN left_in ELSE original.quantity END, 0));
    INSERT INTO public.quotas_usageevent
        (tenant_id, id, recorded_at, meter, key, kind, quantity, period_start, occurred_at, corrects)
    VALUES (tenant::uuid, refund.id::uuid, at::timestamptz, refund.meter, refund.key, 'refunded',
            given, taken_in, at::timestamptz, original.id);
    IF aggregation = 'sum' THEN
        UPDATE public.quotas_usagetotal AS total SET used = total.used - given
         WHERE total.tenant_id = tenant::uuid AND total.meter = refund.meter
           AND total.period_start = taken_in;
    ELSIF given > 0 AND aggregation = 'unique' THEN
        PERFORM plaza.forget_usage_value(tenant::uuid, refund.meter, taken_in, original.value);
    ELSIF given > 0 THEN
        PERFORM plaza.recount_usage(tenant::uuid, refund.meter, taken_in, aggregation);
    END IF;
END $$;
""",
)
