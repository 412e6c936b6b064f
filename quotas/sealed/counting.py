"""The ledger's functions in PostgreSQL: take units, give them back, and count a meter's total anew.

Order of locks, so that no two writers wait for each other in a circle: the budget (sealed/spending.py),
keys, values, totals.
"""

from config.rights import Function

# A key's row is narrow and of one width, whatever the key: measured, such a table with eight parts
# takes 87,000 to 107,000 new keys a second where keys as text take 67,000 to 93,000, and a look into
# each month's own index 35,000 to 65,000.
DIGEST = Function(
    signature="usage_digest(text, text, text)",
    is_inner=True,
    sql="""
CREATE OR REPLACE FUNCTION plaza.usage_digest(kind text, meter text, key text)
RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
SELECT left(encode(sha256(convert_to(
           kind || E'\\x1f' || meter || E'\\x1f' || key, 'UTF8')), 'hex'), 32)::uuid
$$;
""",
)
COUNT = Function(
    signature="count_usage(uuid, text, timestamptz, bigint, bigint, text, uuid, timestamptz)",
    is_inner=True,
    sql="""
CREATE OR REPLACE FUNCTION plaza.count_usage(
    tenant uuid, meter text, period timestamptz, units bigint, allowed bigint, aggregation text,
    value uuid, at timestamptz
) RETURNS boolean LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
-- Whether the event fits (NULL is no limit); if it does, it is in the total.
DECLARE
    seen integer;
    before bigint;
    latest timestamptz;
    after bigint;
BEGIN
    IF aggregation = 'unique' THEN
        INSERT INTO public.quotas_usagevalue AS known (tenant_id, meter, period_start, digest, times)
        VALUES (tenant, count_usage.meter, period, value, 1)
        ON CONFLICT (tenant_id, meter, period_start, digest) DO UPDATE SET times = known.times + 1
        RETURNING times INTO seen;
        IF seen > 1 THEN
            RETURN true;
        END IF;
        units := 1;
    END IF;
    IF aggregation IN ('sum', 'unique') THEN
        -- The limit is compared inside the UPDATE: two writers that both saw one unit left would
        -- otherwise both take it.
        INSERT INTO public.quotas_usagetotal AS total (tenant_id, meter, period_start, used)
        SELECT tenant, count_usage.meter, period, units WHERE allowed IS NULL OR units <= allowed
        ON CONFLICT (tenant_id, meter, period_start) DO UPDATE
           SET used = total.used + excluded.used
         WHERE allowed IS NULL OR total.used + excluded.used <= allowed;
        IF FOUND THEN
            RETURN true;
        END IF;
        DELETE FROM public.quotas_usagevalue AS known
         WHERE known.tenant_id = tenant AND known.meter = count_usage.meter
           AND known.period_start = period AND known.digest = value;
        RETURN false;
    END IF;
    INSERT INTO public.quotas_usagetotal AS total (tenant_id, meter, period_start, used)
    VALUES (tenant, count_usage.meter, period, 0)
    ON CONFLICT (tenant_id, meter, period_start) DO UPDATE SET used = total.used  -- locks it
    RETURNING total.used, total.last_at INTO before, latest;
    after := CASE WHEN aggregation = 'max' THEN greatest(before, units)
                  WHEN latest IS NULL OR at >= latest THEN units
                  ELSE before END;
    IF after > before AND after > allowed THEN
        RETURN false;
    END IF;
    UPDATE public.quotas_usagetotal AS total SET used = after, last_at = greatest(latest, at)
     WHERE total.tenant_id = tenant AND total.meter = count_usage.meter
       AND total.period_start = period;
    RETURN true;
END $$;
""",
)
RECOUNT = Function(
    signature="recount_usage(uuid, text, timestamptz, text)",
    is_inner=True,
    sql="""
CREATE OR REPLACE FUNCTION plaza.recount_usage(
    tenant uuid, meter text, period timestamptz, aggregation text
) RETURNS bigint LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
-- The total of a max or last meter from its events as they stand now. Reads the whole period.
DECLARE
    found bigint;
    latest timestamptz;
BEGIN
    PERFORM FROM public.quotas_usagetotal AS total
      WHERE total.tenant_id = tenant AND total.meter = recount_usage.meter
        AND total.period_start = period
        FOR UPDATE;
    WITH changed AS (
        SELECT each.corrects AS id, bool_or(each.kind = 'refunded') AS is_refunded,
               sum(CASE each.kind WHEN 'refunded' THEN -each.quantity ELSE each.quantity END) AS change
          FROM public.quotas_usageevent AS each
         WHERE each.tenant_id = tenant AND each.corrects IS NOT NULL
           AND each.meter = recount_usage.meter AND each.period_start = period
         GROUP BY 1
    ), standing AS (
        SELECT event.id, event.occurred_at, event.quantity + coalesce(changed.change, 0) AS quantity,
               coalesce(changed.is_refunded, false) AS is_refunded
          FROM public.quotas_usageevent AS event LEFT JOIN changed ON changed.id = event.id
         WHERE event.tenant_id = tenant AND event.meter = recount_usage.meter
           AND event.period_start = period AND event.corrects IS NULL
           AND event.kind IN ('consumed', 'reported')
    )
    SELECT standing.quantity, standing.occurred_at INTO found, latest FROM standing
     WHERE aggregation = 'max' OR NOT standing.is_refunded
     ORDER BY CASE WHEN aggregation = 'max' THEN standing.quantity END DESC NULLS LAST,
              standing.occurred_at DESC, standing.id DESC
     LIMIT 1;
    UPDATE public.quotas_usagetotal AS total SET used = coalesce(found, 0), last_at = latest
     WHERE total.tenant_id = tenant AND total.meter = recount_usage.meter
       AND total.period_start = period;
    RETURN coalesce(found, 0);
END $$;
""",
)
FORGET_VALUE = Function(
    signature="forget_usage_value(uuid, text, timestamptz, uuid)",
    is_inner=True,
    sql="""
CREATE OR REPLACE FUNCTION plaza.forget_usage_value(
    tenant uuid, meter text, period timestamptz, value uuid
) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
-- One event of a value less; the last one takes the value from the total.
BEGIN
    UPDATE public.quotas_usagevalue AS known SET times = known.times - 1
     WHERE known.tenant_id = tenant AND known.meter = forget_usage_value.meter
       AND known.period_start = period AND known.digest = value AND known.times > 1;
    IF FOUND THEN
        RETURN;
    END IF;
    DELETE FROM public.quotas_usagevalue AS known
     WHERE known.tenant_id = tenant AND known.meter = forget_usage_value.meter
       AND known.period_start = period AND known.digest = value;
    IF FOUND THEN
        UPDATE public.quotas_usagetotal AS total SET used = total.used - 1
         WHERE total.tenant_id = tenant AND total.meter = forget_usage_value.meter
           AND total.period_start = period;
    END IF;
END $$;
""",
)
