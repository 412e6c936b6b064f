"""Usage that happened outside: a batch of events in few statements."""

from config.rights import Function

_ROWS = """json_to_recordset(events::json) AS asked(
            id uuid, key text, meter text, quantity bigint, period timestamptz,
            occurred_at timestamptz, is_late boolean, properties jsonb, value text)"""
_METERS = (
    "json_to_recordset(meters::json) AS "
    "spec(meter text, aggregation text, allowed bigint, present timestamptz)"
)


def _filled(statement: str) -> str:
    """`@rows` are the events asked for, `@meters` what each meter is and allows, and its present period."""
    return statement.replace("@rows", _ROWS).replace("@meters", _METERS)


# All at once, when everything fits. Raises PZ001 where a limit is passed: one by one then.
REPORT_ALL = Function(
    signature="report_all_usage(uuid, timestamptz, text, text, jsonb)",
    is_inner=True,
    sql=_filled("""
CREATE OR REPLACE FUNCTION plaza.report_all_usage(
    tenant uuid, at timestamptz, events text, meters text, cause jsonb
) RETURNS bigint LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    counted bigint;
    is_beyond boolean;
BEGIN
    WITH asked AS MATERIALIZED (
        SELECT asked.*, plaza.usage_digest('reported', '', asked.key) AS digest FROM @rows
    ), fresh AS (
        INSERT INTO public.quotas_usagekey (tenant_id, digest, event_id, recorded_at)
        SELECT tenant, asked.digest, asked.id, at FROM asked ORDER BY asked.id
        ON CONFLICT DO NOTHING RETURNING event_id
    ), news AS MATERIALIZED (
        SELECT asked.*, spec.aggregation, spec.allowed,
               plaza.usage_digest('', '', asked.value) AS counted_value
          FROM asked JOIN fresh ON fresh.event_id = asked.id JOIN @meters ON spec.meter = asked.meter
    ), stored AS (
        INSERT INTO public.quotas_usageevent
            (tenant_id, id, recorded_at, meter, key, kind, quantity, period_start, occurred_at,
             is_late, properties, value, app, member_id, api_key_id, campaign_id)
        SELECT tenant, id, at, meter, key, 'reported', quantity, period, occurred_at,
               is_late, properties, counted_value, coalesce(cause->>'app', ''),
               (cause->>'member')::uuid, (cause->>'api_key')::uuid, (cause->>'campaign')::uuid
          FROM news
    ), valued AS (
        SELECT meter, period, counted_value, count(*) AS times FROM news
         WHERE aggregation = 'unique' GROUP BY 1, 2, 3
    ), seen AS (
        INSERT INTO public.quotas_usagevalue AS known (tenant_id, meter, period_start, digest, times)
        SELECT tenant, meter, period, counted_value, times FROM valued ORDER BY 2, 3, 4
        ON CONFLICT (tenant_id, meter, period_start, digest) DO UPDATE
           SET times = known.times + excluded.times
        RETURNING meter, period_start, digest, times
    ), sums AS (
        SELECT meter, period, sum(quantity)::bigint AS units FROM news
         WHERE aggregation = 'sum' GROUP BY 1, 2
        UNION ALL
        -- A value is new when nothing was there before this batch.
        SELECT seen.meter, seen.period_start, count(*) FROM seen JOIN valued
            ON valued.meter = seen.meter AND valued.period = seen.period_start
           AND valued.counted_value = seen.digest AND valued.times = seen.times
         GROUP BY 1, 2
    ), summed AS (
        INSERT INTO public.quotas_usagetotal AS total (tenant_id, meter, period_start, used)
        SELECT tenant, meter, period, units FROM sums ORDER BY 2, 3
        ON CONFLICT (tenant_id, meter, period_start) DO UPDATE
           SET used = total.used + excluded.used
        RETURNING meter, used
    ), peaked AS (
        INSERT INTO public.quotas_usagetotal AS total (tenant_id, meter, period_start, used)
        SELECT tenant, meter, period, max(quantity) FROM news
         WHERE aggregation = 'max' GROUP BY 2, 3 ORDER BY 2, 3
        ON CONFLICT (tenant_id, meter, period_start) DO UPDATE
           SET used = greatest(total.used, excluded.used)
        RETURNING meter, used
    ), beyond AS (
        SELECT FROM (SELECT * FROM summed UNION ALL SELECT * FROM peaked) AS total
          JOIN @meters ON spec.meter = total.meter WHERE total.used > spec.allowed
    )
    SELECT (SELECT count(*) FROM fresh),
           EXISTS (SELECT FROM beyond) OR EXISTS (SELECT FROM news WHERE aggregation = 'last')
      INTO counted, is_beyond;
    IF is_beyond THEN
        RAISE SQLSTATE 'PZ001';
    END IF;
    RETURN counted;
END $$;
"""),
)
REPORT_ONE = Function(
    signature="report_one_usage(uuid, timestamptz, jsonb, text, bigint, jsonb, jsonb)",
    is_inner=True,
    sql="""
CREATE OR REPLACE FUNCTION plaza.report_one_usage(
    tenant uuid, at timestamptz, event jsonb, aggregation text, allowed bigint, cause jsonb,
    budget jsonb
) RETURNS text LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
-- 'counted', 'known', or 'refused' past the limit. Raises PZ003 past the budget's cap (NULL: none).
DECLARE
    each record;
    mark uuid := plaza.usage_digest('reported', '', event->>'key');
    counted_value uuid := plaza.usage_digest('', '', event->>'value');
    before bigint := plaza.usage_spent(tenant, budget);
BEGIN
    SELECT * INTO each FROM jsonb_to_record(event) AS asked(
        id uuid, key text, meter text, quantity bigint, period timestamptz,
        occurred_at timestamptz, is_late boolean, properties jsonb);
    INSERT INTO public.quotas_usagekey (tenant_id, digest, event_id, recorded_at)
    VALUES (tenant, mark, each.id, at) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN 'known';
    END IF;
    IF NOT plaza.count_usage(tenant, each.meter, each.period, each.quantity, allowed,
                             aggregation, counted_value, each.occurred_at) THEN
        DELETE FROM public.quotas_usagekey AS known
         WHERE known.tenant_id = tenant AND known.digest = mark;
        RETURN 'refused';
    END IF;
    INSERT INTO public.quotas_usageevent
        (tenant_id, id, recorded_at, meter, key, kind, quantity, period_start, occurred_at,
         is_late, properties, value, app, member_id, api_key_id, campaign_id)
    VALUES (tenant, each.id, at, each.meter, each.key, 'reported', each.quantity,
            each.period, each.occurred_at, each.is_late, each.properties, counted_value,
            coalesce(cause->>'app', ''), (cause->>'member')::uuid, (cause->>'api_key')::uuid,
            (cause->>'campaign')::uuid);
    IF budget IS NOT NULL THEN
        PERFORM plaza.settle_spend(tenant, budget, before);
    END IF;
    RETURN 'counted';
END $$;
""",
)
REPORT_EACH = Function(
    signature="report_each_usage(uuid, timestamptz, text, text, jsonb, jsonb)",
    is_inner=True,
    sql=_filled("""
CREATE OR REPLACE FUNCTION plaza.report_each_usage(
    tenant uuid, at timestamptz, events text, meters text, cause jsonb, budgets jsonb
) RETURNS jsonb LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
-- In order, each all or nothing. What was refused: {"refused": {id: units used then}} past a limit,
-- {"capped": {id: minor units spent then}} past a budget's cap.
DECLARE
    each record;
    budget jsonb;
    outcome text;
    refused jsonb := '{}';
    capped jsonb := '{}';
BEGIN
    FOR each IN
        SELECT asked.id, asked.meter, asked.period, to_jsonb(asked) AS event, spec.aggregation, spec.allowed
          FROM @rows JOIN @meters ON spec.meter = asked.meter ORDER BY asked.id
    LOOP
        budget := plaza.budget_of(budgets, each.meter, each.period);
        IF budget IS NULL THEN
            outcome := plaza.report_one_usage(
                tenant, at, each.event, each.aggregation, each.allowed, cause, NULL);
        ELSE
            BEGIN
                outcome := plaza.report_one_usage(
                    tenant, at, each.event, each.aggregation, each.allowed, cause, budget);
            EXCEPTION WHEN SQLSTATE 'PZ003' THEN
                outcome := 'capped';
                capped := capped || jsonb_build_object(each.id, plaza.usage_spent(tenant, budget));
            END;
        END IF;
        IF outcome = 'refused' THEN
            refused := refused || jsonb_build_object(each.id, coalesce((
                SELECT total.used FROM public.quotas_usagetotal AS total
                 WHERE total.tenant_id = tenant AND total.meter = each.meter
                   AND total.period_start = each.period), 0));
        END IF;
    END LOOP;
    RETURN jsonb_build_object('refused', refused, 'capped', capped);
END $$;
"""),
)
PRESENT = Function(
    signature="present_usage(uuid, text)",
    is_inner=True,
    sql=_filled("""
CREATE OR REPLACE FUNCTION plaza.present_usage(tenant uuid, meters text)
RETURNS jsonb LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
-- {meter: units used in its present period}.
SELECT jsonb_object_agg(spec.meter, coalesce(total.used, 0))
  FROM @meters LEFT JOIN public.quotas_usagetotal AS total
    ON total.tenant_id = tenant AND total.meter = spec.meter AND total.period_start = spec.present
$$;
"""),
)
REPORT = Function(
    signature="report_usage(text, text, text, text, text, text, text)",
    sql=_filled("""
CREATE OR REPLACE FUNCTION plaza.report_usage(
    tenant text, at text, events text, meters text, budgets text, cause text,
    seal text
) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
-- {"refused": {asked id: used}, "capped": {asked id: spent}, "known": {asked id: the stored event}};
-- what is in none is new. And, without this batch and with it: "before" and "totals" {meter: units used
-- in its present period}, "spent_before" and "spent" {period: minor units} of each capped budget.
DECLARE
    before jsonb;
    spent_before jsonb;
    refused jsonb := '{"refused": {}, "capped": {}}';
    counted bigint;
    known jsonb := '{}';
BEGIN
    PERFORM plaza.check_seal(seal, 'report_usage', tenant, at, events, meters, budgets, cause);
    PERFORM plaza.check_tenant(tenant::uuid);
    -- A tenant's reports and corrections one after the other: they would wait for its totals anyway.
    PERFORM pg_advisory_xact_lock(hashtextextended(tenant, 1));
    spent_before := plaza.lock_spends(tenant::uuid, budgets::jsonb);
    before := plaza.present_usage(tenant::uuid, meters);
    BEGIN
        counted := plaza.report_all_usage(
            tenant::uuid, at::timestamptz, events, meters, cause::jsonb);
        PERFORM plaza.settle_spend(tenant::uuid, budget, (spent_before->>(budget->>'period'))::bigint)
           FROM jsonb_array_elements(budgets::jsonb) AS budget;
    EXCEPTION WHEN SQLSTATE 'PZ001' OR SQLSTATE 'PZ003' THEN
        counted := NULL;
        refused := plaza.report_each_usage(
            tenant::uuid, at::timestamptz, events, meters, cause::jsonb, budgets::jsonb);
    END;
    IF counted IS DISTINCT FROM json_array_length(events::json) THEN
        SELECT coalesce(jsonb_object_agg(asked.id, to_jsonb(event)), '{}') INTO known
          FROM @rows
          JOIN public.quotas_usagekey AS mark ON mark.tenant_id = tenant::uuid
           AND mark.digest = plaza.usage_digest('reported', '', asked.key)
           AND mark.event_id <> asked.id
          JOIN public.quotas_usageevent AS event ON event.tenant_id = mark.tenant_id
           AND event.id = mark.event_id AND event.recorded_at = mark.recorded_at
         WHERE NOT (refused->'refused' ? asked.id::text OR refused->'capped' ? asked.id::text);
    END IF;
    RETURN refused || jsonb_build_object(
        'known', known, 'before', before, 'totals', plaza.present_usage(tenant::uuid, meters),
        'spent_before', spent_before, 'spent', plaza.lock_spends(tenant::uuid, budgets::jsonb));
END $$;
"""),
)
