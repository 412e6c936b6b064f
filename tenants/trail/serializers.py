"""A row of the trail as it is answered, and as it is exported."""

import json
from collections.abc import Iterator
from typing import Any

from rest_framework import serializers

from config.cells import disarmed
from tenants.trail.chain import COLUMNS
from tenants.trail.models import TrailEvent
from tenants.trail.origin import Actor

EXPORTED = (*COLUMNS, "digest")


class ActorOut(serializers.Serializer[Any]):
    kind = serializers.CharField(help_text="person, key, operator, nobody or system")
    id = serializers.UUIDField(allow_null=True)
    person_id = serializers.UUIDField(allow_null=True)
    operator_id = serializers.UUIDField(allow_null=True)


class ObjectOut(serializers.Serializer[Any]):
    kind = serializers.CharField()
    id = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field's own `label` is another thing


class AuditEventOut(serializers.Serializer[TrailEvent]):
    id = serializers.UUIDField()
    number = serializers.IntegerField()
    recorded_at = serializers.DateTimeField()
    action = serializers.CharField()
    actor = serializers.SerializerMethodField()
    object = serializers.SerializerMethodField()
    address = serializers.CharField()
    user_agent = serializers.CharField()
    request_id = serializers.CharField()
    before = serializers.DictField()
    after = serializers.DictField()
    digest = serializers.CharField()

    def get_actor(self, row: TrailEvent) -> ActorOut:
        who = Actor(row.actor_kind, row.actor_id, row.person_id, row.operator_id)
        told: Any = ActorOut(who).data
        return told  # type: ignore[no-any-return]

    def get_object(self, row: TrailEvent) -> ObjectOut:
        what = {"kind": row.object_kind, "id": row.object_id, "label": row.object_label}
        told: Any = what
        return told  # type: ignore[no-any-return]


def cells_of(row: dict[str, Any]) -> Iterator[str]:
    """Its columns as cells that no spreadsheet runs."""
    for name in EXPORTED:
        value = row[name]
        if isinstance(value, dict):
            yield disarmed(json.dumps(value, ensure_ascii=False))
        elif name == "recorded_at":
            yield value.isoformat()
        else:
            yield "" if value is None else disarmed(str(value))


def line_of(row: dict[str, Any]) -> str:
    """Its columns as one line of JSON, of which the digest can be made again (tenants/trail/chain.py)."""
    told = {name: row[name] for name in EXPORTED} | {"recorded_at": row["recorded_at"].isoformat()}
    return json.dumps(told, default=str, ensure_ascii=False)
