"""The two functions by which a trail grows: one row waits, and what waits is sealed in its turn."""

from config.rights import Function
from tenants.trail.chain import DOCUMENTS, TENANTS_TABLE, TOLD, UUIDS, beginning_sql, digest_sql

RECORD = Function(
    signature="record_trail(text, text, text)",
    sql="""
CREATE OR REPLACE FUNCTION plaza.record_trail(tenant text, bodies text, seal text)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
-- A list of rows, each with an `id`. By the database's clock: the web servers' may differ.
BEGIN
    PERFORM plaza.check_seal(seal, 'record_trail', tenant, bodies);
    IF record_trail.tenant::uuid = '00000000-0000-0000-0000-000000000000' THEN
        -- The operators': a tenant's role may tell there what an operator does in its name.
        PERFORM plaza.check_tenant((told.body ->> 'about_tenant_id')::uuid)
           FROM jsonb_array_elements(record_trail.bodies::jsonb) AS told (body);
    ELSE
        PERFORM plaza.check_tenant(record_trail.tenant::uuid);
    END IF;
    INSERT INTO public.tenants_trailpending (id, tenant_id, recorded_at, body)
    SELECT (told.body ->> 'id')::uuid, record_trail.tenant::uuid, clock_timestamp(), told.body - 'id'
      FROM jsonb_array_elements(record_trail.bodies::jsonb) AS told (body);
END $$;
""",
)


def _told(name: str) -> str:
    if name in DOCUMENTS:
        return f"waiting.body -> '{name}' AS {name}"
    kind = "::uuid" if name in UUIDS else ""
    return f"(waiting.body ->> '{name}'){kind} AS {name}"


_COLUMNS = ("number", "id", "recorded_at", *TOLD, "digest")
SEAL = Function(
    signature="seal_trail(text, text, text)",
    sql=f"""
CREATE OR REPLACE FUNCTION plaza.seal_trail(tenant text, most text, seal text)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
-- How many rows it sealed, and where the chain ends then: 'rows:number:digest'; 'busy' while another
-- sealer is at this chain.
DECLARE
    chain uuid := seal_trail.tenant::uuid;
    place text := 'public.tenants_operatorevent';
    head record;
    fresh record;
    reached bigint;
    latest text;
    done uuid[] := '{{}}';
BEGIN
    PERFORM plaza.check_seal(seal, 'seal_trail', tenant, most);
    PERFORM plaza.check_tenant(chain);
    IF chain <> '00000000-0000-0000-0000-000000000000' THEN
        place := format('%I.{TENANTS_TABLE}', 't_' || replace(chain::text, '-', ''));
    END IF;
    INSERT INTO public.tenants_trailhead
        (tenant_id, number, digest, reached_at, pruned_number, pruned_digest)
    VALUES (chain, 0, {beginning_sql("chain")}, clock_timestamp(), 0, {beginning_sql("chain")})
    ON CONFLICT DO NOTHING;
    SELECT stored.number, stored.digest INTO head FROM public.tenants_trailhead AS stored
     WHERE stored.tenant_id = chain FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN 'busy';
    END IF;
    reached := head.number;
    latest := head.digest;
    FOR fresh IN
        SELECT 0::bigint AS number, waiting.id, waiting.recorded_at,
               {", ".join(map(_told, TOLD))}
          FROM public.tenants_trailpending AS waiting WHERE waiting.tenant_id = chain
         ORDER BY waiting.recorded_at, waiting.id LIMIT seal_trail.most::int
    LOOP
        reached := reached + 1;
        fresh.number := reached;
        latest := {digest_sql(previous="latest", row="fresh")};
        EXECUTE format('INSERT INTO %s ({", ".join(_COLUMNS)}) VALUES ({", ".join(f"${n}" for n in range(1, len(_COLUMNS) + 1))})', place)
          USING {", ".join(f"fresh.{name}" for name in _COLUMNS[:-1])}, latest;
        done := done || fresh.id;
    END LOOP;
    DELETE FROM public.tenants_trailpending AS waiting
     WHERE waiting.tenant_id = chain AND waiting.id = ANY(done);
    IF done <> '{{}}' THEN
        UPDATE public.tenants_trailhead AS stored
           SET number = reached, digest = latest, reached_at = clock_timestamp()
         WHERE stored.tenant_id = chain;
    END IF;
    RETURN cardinality(done) || ':' || reached || ':' || latest;
END $$;
""",  # noqa: S608 - names of ours
)
