"""Kept refusals against other entitlements: how many of them would not have happened."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from quotas.merging import Snapshot

# A rate is compared with that which refused: by a faster one the request would have passed sooner.
_REFUSALS = """
WITH kept AS (
    SELECT code, told->>'rule' AS rule, split_part(told->>'rule', ':', 1) AS kind,
           substr(told->>'rule', strpos(told->>'rule', ':') + 1) AS name,
           (told->>'used')::bigint AS used, (told->'facts'->>'asked')::bigint AS asked,
           told->'grants'->0->'states' AS stated
      FROM public.quotas_explanation
     WHERE tenant_id = %(tenant)s AND decided_at >= %(start)s AND decided_at < %(end)s
)
SELECT code, rule, count(*), count(*) FILTER (WHERE CASE kind
    WHEN 'feature' THEN name = ANY(%(features)s)
    WHEN 'meter' THEN jsonb_exists(%(limits)s::jsonb, name) AND (
        %(limits)s::jsonb->>name IS NULL OR used + asked <= (%(limits)s::jsonb->>name)::bigint)
    WHEN 'concurrency' THEN used < (%(rates)s::jsonb->'concurrency'->>0)::bigint
    WHEN 'rate' THEN
        (%(rates)s::jsonb->name->>0)::numeric * (stated->>'seconds')::numeric
      > (%(rates)s::jsonb->name->>1)::numeric * (stated->>'limit')::numeric
    ELSE false END)
  FROM kept GROUP BY code, rule ORDER BY count(*) DESC, code, rule
"""


@dataclass(frozen=True, slots=True)
class Refusals:
    """Those of one rule; `avoided` of them would not have happened."""

    code: str
    rule: str
    count: int
    avoided: int


def refusals_under(found: Snapshot, *, start: datetime, end: datetime) -> list[Refusals]:
    """The tenant's kept refusals of [start, end), most of them first, had `found` been in force."""
    facts: dict[str, Any] = {
        "tenant": found.tenant_id,
        "start": start,
        "end": end,
        "features": sorted(found.features),
        "limits": json.dumps(dict(found.limits)),
        "rates": json.dumps(dict(found.rates)),
    }
    with connection.cursor() as cursor:
        cursor.execute(_REFUSALS, facts)
        return [Refusals(*row) for row in cursor.fetchall()]
