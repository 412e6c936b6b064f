import config.ids
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    """Expand: the audit trail's part of the square. Code before it writes none."""

    dependencies = [
        ("tenants", "0007_attempt_count"),
    ]

    operations = [
        migrations.CreateModel(
            name="TrailHead",
            fields=[
                ("tenant_id", models.UUIDField(primary_key=True, serialize=False)),
                ("number", models.BigIntegerField()),
                ("digest", models.CharField(max_length=64)),
                (
                    "reached_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("pruned_number", models.BigIntegerField(default=0)),
                ("pruned_digest", models.CharField(max_length=64)),
                ("pruned_before", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="OperatorEvent",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("id", models.UUIDField(default=config.ids.new_id, editable=False)),
                ("recorded_at", models.DateTimeField()),
                ("action", models.CharField(max_length=64)),
                ("actor_kind", models.CharField(max_length=16)),
                ("actor_id", models.UUIDField(null=True)),
                ("person_id", models.UUIDField(null=True)),
                ("operator_id", models.UUIDField(null=True)),
                ("about_tenant_id", models.UUIDField(null=True)),
                ("object_kind", models.CharField(max_length=40)),
                ("object_id", models.CharField(max_length=100)),
                ("object_label", models.CharField(max_length=200)),
                ("address", models.CharField(max_length=45)),
                ("user_agent", models.CharField(max_length=200)),
                ("request_id", models.CharField(max_length=64)),
                ("before", models.JSONField(default=dict)),
                ("after", models.JSONField(default=dict)),
                ("digest", models.CharField(max_length=64)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["about_tenant_id", "number"], name="operator_event_about"),
                    models.Index(fields=["recorded_at"], name="operator_event_at"),
                ],
            },
        ),
        migrations.CreateModel(
            name="TrailPending",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id",
                        "id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("tenant_id", models.UUIDField()),
                ("id", models.UUIDField()),
                ("recorded_at", models.DateTimeField()),
                ("body", models.JSONField()),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["tenant_id", "recorded_at", "id"], name="trail_pending_in_turn"
                    )
                ],
            },
        ),
    ]
