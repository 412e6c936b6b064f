"""The inbox of webhooks in parts by month; each event's key moves into a table that is kept for ever."""

from django.db import migrations, models
from django.utils import timezone

from config.months import MonthlyTable, partition_by_month

# As billing/services/inbox.py digests a provider's name of an event.
_KEYS = [
    """
CREATE TABLE billing_webhookkey (
    digest uuid NOT NULL PRIMARY KEY, event_id uuid NOT NULL, received_at timestamptz NOT NULL
) PARTITION BY HASH (digest)
""",
    *(
        f"CREATE TABLE billing_webhookkey_{part} PARTITION OF billing_webhookkey"
        f" FOR VALUES WITH (MODULUS 4, REMAINDER {part})"
        for part in range(4)
    ),
    """
INSERT INTO billing_webhookkey (digest, event_id, received_at)
SELECT left(encode(sha256(convert_to(provider || E'\\x1f' || provider_event_id, 'UTF8')), 'hex'), 32)::uuid,
       id, received_at
  FROM billing_webhookevent
""",
]


def _partition(apps, editor):
    with editor.connection.cursor() as cursor:
        # What the rows' checks have promised until the commit stands in the way of changing tables.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        partition_by_month(
            cursor, MonthlyTable("billing_webhookevent", "received_at"), now=timezone.now()
        )


class Migration(migrations.Migration):
    dependencies = [("billing", "0004_subscription_life")]

    operations = [
        migrations.RemoveConstraint("webhookevent", "webhook_event_once"),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(_KEYS), migrations.RunPython(_partition)],
            state_operations=[
                migrations.CreateModel(
                    name="WebhookKey",
                    fields=[
                        ("digest", models.UUIDField(primary_key=True, serialize=False)),
                        ("event_id", models.UUIDField()),
                        ("received_at", models.DateTimeField()),
                    ],
                ),
            ],
        ),
    ]
