"""What usage weighs against a tenant's budget, reckoned in PostgreSQL under the lock of one row.

A budget comes as JSON (quotas/caps/budgets.py): `period`, `cap`, and for each weighted meter and window
the units included and its weight. The sum is reckoned anew from the totals each time, so a
change of weights, limits or cap needs no repair; each window is rounded once, half to even.

Order of locks: the budget, keys, values, totals.
"""

from config.rights import Function

WEIGHT = Function(
    signature="usage_weight(jsonb, bigint)",
    is_inner=True,
    sql="""
CREATE OR REPLACE FUNCTION plaza.usage_weight(weight jsonb, units bigint)
RETURNS bigint LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
-- As quotas/caps/weights.py: minor units that so many units weigh, rounded half to even.
DECLARE
    scale numeric := (weight->>'scale')::numeric;
    parts numeric := 0;
    whole numeric;
    rest numeric;
BEGIN
    SELECT (bend->>1)::numeric
         + (bend->>2)::numeric * ceil((units - (bend->>0)::numeric) / (bend->>3)::numeric) INTO parts
      FROM jsonb_array_elements(weight->'bends') AS bend
     WHERE (bend->>0)::bigint < units ORDER BY (bend->>0)::bigint DESC LIMIT 1;
    whole := div(coalesce(parts, 0), scale);
    rest := 2 * (coalesce(parts, 0) - whole * scale);
    RETURN whole + CASE WHEN rest > scale OR (rest = scale AND mod(whole, 2) = 1) THEN 1 ELSE 0 END;
END $$;
""",
)
SPENT = Function(
    signature="usage_spent(uuid, jsonb)",
    is_inner=True,
    sql="""
CREATE OR REPLACE FUNCTION plaza.usage_spent(tenant uuid, budget jsonb)
RETURNS bigint LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
SELECT coalesce(sum(
           plaza.usage_weight(part.weight, coalesce(total.used, 0) - part.included)
         - plaza.usage_weight(part.weight, coalesce((spend.since->>part.place)::bigint, 0) - part.included)
       ) + coalesce(max(spend.carried), 0), 0)::bigint
  FROM jsonb_to_recordset(budget->'parts')
       AS part(place text, meter text, period timestamptz, included bigint, weight jsonb)
  LEFT JOIN public.quotas_usagetotal AS total
    ON total.tenant_id = tenant AND total.meter = part.meter AND total.period_start = part.period
  LEFT JOIN public.quotas_spend AS spend
    ON spend.tenant_id = tenant AND spend.period_start = (budget->>'period')::timestamptz
$$;
""",
)
LOCK = Function(
    signature="lock_spend(uuid, jsonb)",
    is_inner=True,
    sql="""
CREATE OR REPLACE FUNCTION plaza.lock_spend(tenant uuid, budget jsonb)
RETURNS bigint LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
-- What is spent, once nobody else reckons this budget until our commit.
BEGIN
    LOOP
        PERFORM FROM public.quotas_spend AS spend
          WHERE spend.tenant_id = tenant AND spend.period_start = (budget->>'period')::timestamptz
            FOR UPDATE;
        EXIT WHEN FOUND;
        INSERT INTO public.quotas_spend (tenant_id, period_start, spent)
        VALUES (tenant, (budget->>'period')::timestamptz, 0) ON CONFLICT DO NOTHING;
    END LOOP;
    RETURN plaza.usage_spent(tenant, budget);
END $$;
""",
)
LOCK_ALL = Function(
    signature="lock_spends(uuid, jsonb)",
    is_inner=True,
    sql="""
CREATE OR REPLACE FUNCTION plaza.lock_spends(tenant uuid, budgets jsonb)
RETURNS jsonb LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
-- {period: minor units spent} of several budgets (NULL: of none), locked from the oldest on.
DECLARE
    budget jsonb;
    spent jsonb := '{}';
BEGIN
    FOR budget IN SELECT each FROM jsonb_array_elements(budgets) AS each
                   ORDER BY (each->>'period')::timestamptz
    LOOP
        spent := spent || jsonb_build_object(budget->>'period', plaza.lock_spend(tenant, budget));
    END LOOP;
    RETURN spent;
END $$;
""",
)
FIND = Function(
    signature="budget_of(jsonb, text, timestamptz)",
    is_inner=True,
    sql="""
CREATE OR REPLACE FUNCTION plaza.budget_of(budgets jsonb, meter text, period timestamptz)
RETURNS jsonb LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
-- That which a meter's window weighs against; NULL where it weighs nothing.
SELECT budget FROM jsonb_array_elements(budgets) AS budget
 WHERE EXISTS (SELECT FROM jsonb_to_recordset(budget->'parts') AS part(meter text, period timestamptz)
                WHERE part.meter = budget_of.meter AND part.period = budget_of.period)
$$;
""",
)
SETTLE = Function(
    signature="settle_spend(uuid, jsonb, bigint)",
    is_inner=True,
    sql="""
CREATE OR REPLACE FUNCTION plaza.settle_spend(tenant uuid, budget jsonb, before bigint)
RETURNS bigint LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
-- What is spent now, written down. Raises PZ003 where that is more than before and above the cap: what
-- weighs nothing passes whatever was spent.
DECLARE
    after bigint := plaza.usage_spent(tenant, budget);
BEGIN
    IF after > before AND after > (budget->>'cap')::bigint THEN
        RAISE SQLSTATE 'PZ003';
    END IF;
    UPDATE public.quotas_spend AS spend SET spent = after
     WHERE spend.tenant_id = tenant AND spend.period_start = (budget->>'period')::timestamptz
       AND spend.spent <> after;
    RETURN after;
END $$;
""",
)
