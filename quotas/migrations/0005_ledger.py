"""The ledger in parts by month, its keys in a table of their own; every row and key comes along."""

from django.db import migrations, models
from django.utils import timezone

import config.ids
from config.months import MonthlyTable, partition_by_month

# Ids as config/ids.py makes them (UUIDv7), of the moment at which the row was written.
_COLUMNS = """
ALTER TABLE quotas_usageevent
    ADD COLUMN id uuid, ADD COLUMN recorded_at timestamptz,
    ADD COLUMN is_late boolean NOT NULL DEFAULT false, ADD COLUMN properties jsonb,
    ADD COLUMN value uuid, ADD COLUMN corrects uuid,
    ADD COLUMN reason varchar(500) NOT NULL DEFAULT '',
    ALTER COLUMN kind TYPE varchar(16),
    DROP CONSTRAINT usage_event_is_not_negative,
    ADD CONSTRAINT usage_event_is_not_negative CHECK (quantity >= 0 OR kind = 'corrected');
UPDATE quotas_usageevent SET recorded_at = occurred_at, id = (
    lpad(to_hex((extract(epoch FROM occurred_at) * 1000)::bigint), 12, '0') || '7'
    || substr(encode(sha256(convert_to(kind || E'\\x1f' || meter || E'\\x1f' || key, 'UTF8')), 'hex'), 1, 3)
    || '8'
    || substr(encode(sha256(convert_to(kind || E'\\x1f' || meter || E'\\x1f' || key, 'UTF8')), 'hex'), 4, 15)
)::uuid;
UPDATE quotas_usageevent AS refund SET corrects = taken.id
  FROM quotas_usageevent AS taken
 WHERE refund.kind = 'refunded' AND taken.kind = 'consumed' AND taken.tenant_id = refund.tenant_id
   AND taken.meter = refund.meter AND taken.key = refund.key;
ALTER TABLE quotas_usageevent ALTER COLUMN id SET NOT NULL, ALTER COLUMN recorded_at SET NOT NULL,
    DROP CONSTRAINT quotas_usageevent_pkey, ADD PRIMARY KEY (tenant_id, id, recorded_at);
CREATE INDEX usage_event_of_period ON quotas_usageevent (tenant_id, meter, period_start, id);
CREATE INDEX usage_event_corrects ON quotas_usageevent (tenant_id, corrects)
    WHERE corrects IS NOT NULL;
"""
_KEYS = [
    """
CREATE TABLE quotas_usagekey (
    tenant_id uuid NOT NULL, digest uuid NOT NULL, event_id uuid NOT NULL,
    recorded_at timestamptz NOT NULL, PRIMARY KEY (tenant_id, digest)
) PARTITION BY HASH (digest)
""",
    *(
        f"CREATE TABLE quotas_usagekey_{part} PARTITION OF quotas_usagekey"
        f" FOR VALUES WITH (MODULUS 8, REMAINDER {part})"
        for part in range(8)
    ),
    """
INSERT INTO quotas_usagekey (tenant_id, digest, event_id, recorded_at)
SELECT tenant_id, left(encode(sha256(convert_to(
           kind || E'\\x1f' || meter || E'\\x1f' || key, 'UTF8')), 'hex'), 32)::uuid, id, recorded_at
  FROM quotas_usageevent
""",
    "CREATE INDEX usage_key_by_age ON quotas_usagekey USING brin (recorded_at)",
]
# Those of the release before write rows without an id.
_OLD_FUNCTIONS = """
DROP FUNCTION IF EXISTS plaza.consume(text, text, text, text, text, text, text, text);
DROP FUNCTION IF EXISTS plaza.refund(text, text, text, text, text, text, text);
"""


def _statements(script):
    return [each for each in script.split(";\n") if each.strip()]


def _partition(apps, editor):
    with editor.connection.cursor() as cursor:
        # What the rows' checks have promised until the commit stands in the way of changing tables.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        partition_by_month(
            cursor, MonthlyTable("quotas_usageevent", "recorded_at"), now=timezone.now()
        )


class Migration(migrations.Migration):
    dependencies = [("quotas", "0004_extras")]

    operations = [
        migrations.AddField("usagetotal", "last_at", models.DateTimeField(null=True)),
        migrations.AddField(
            "usagetotal", "carried", models.BigIntegerField(default=0, db_default=0)
        ),
        migrations.CreateModel(
            name="UsageValue",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id",
                        "meter",
                        "period_start",
                        "digest",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("tenant_id", models.UUIDField()),
                ("meter", models.CharField(max_length=32)),
                ("period_start", models.DateTimeField()),
                ("digest", models.UUIDField()),
                ("times", models.IntegerField()),
            ],
        ),
        migrations.RunSQL(_statements(_OLD_FUNCTIONS), []),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(_statements(_COLUMNS)),
                migrations.RunSQL(_KEYS),
                migrations.RunPython(_partition),
            ],
            state_operations=[
                migrations.DeleteModel("UsageEvent"),
                migrations.CreateModel(
                    name="UsageEvent",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "tenant_id",
                                "id",
                                "recorded_at",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("tenant_id", models.UUIDField()),
                        ("id", models.UUIDField(default=config.ids.new_id)),
                        ("recorded_at", models.DateTimeField()),
                        ("meter", models.CharField(max_length=32)),
                        ("key", models.CharField(max_length=200)),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("consumed", "Consumed"),
                                    ("refunded", "Refunded"),
                                    ("reported", "Reported"),
                                    ("corrected", "Corrected"),
                                ],
                                max_length=16,
                            ),
                        ),
                        ("quantity", models.BigIntegerField()),
                        ("period_start", models.DateTimeField()),
                        ("occurred_at", models.DateTimeField()),
                        ("is_late", models.BooleanField(default=False, db_default=False)),
                        ("properties", models.JSONField(null=True)),
                        ("value", models.UUIDField(null=True)),
                        ("corrects", models.UUIDField(null=True)),
                        (
                            "reason",
                            models.CharField(blank=True, default="", db_default="", max_length=500),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("quantity__gte", 0), ("kind", "corrected"), _connector="OR"
                                ),
                                name="usage_event_is_not_negative",
                            )
                        ],
                        "indexes": [
                            models.Index(
                                fields=["tenant_id", "meter", "period_start", "id"],
                                name="usage_event_of_period",
                            ),
                            models.Index(
                                fields=["tenant_id", "corrects"],
                                condition=models.Q(("corrects__isnull", False)),
                                name="usage_event_corrects",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="UsageKey",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "tenant_id",
                                "digest",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("tenant_id", models.UUIDField()),
                        ("digest", models.UUIDField()),
                        ("event_id", models.UUIDField()),
                        ("recorded_at", models.DateTimeField()),
                    ],
                ),
            ],
        ),
    ]
