from django.db import migrations, models

import config.ids


class Migration(migrations.Migration):
    """API calls are folded by process; marks of before belong to counters that Redis no longer reads."""

    dependencies = [("quotas", "0001_initial")]
    operations = [
        migrations.DeleteModel("ApiCallMark"),
        migrations.CreateModel(
            name="ApiCallMark",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id",
                        "period_start",
                        "spool",
                        "epoch",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("tenant_id", models.UUIDField()),
                ("period_start", models.DateTimeField()),
                ("spool", models.CharField(max_length=32)),
                ("epoch", models.CharField(blank=True, max_length=32)),
                ("counted", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="Explanation",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=config.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("tenant_id", models.UUIDField()),
                ("request_id", models.CharField(max_length=64)),
                ("decided_at", models.DateTimeField()),
                ("code", models.CharField(max_length=64)),
                ("told", models.JSONField()),
            ],
            options={
                "indexes": [
                    models.Index(fields=["tenant_id", "request_id"], name="explanation_of_request"),
                    models.Index(fields=["tenant_id", "decided_at"], name="explanation_of_tenant"),
                    models.Index(fields=["decided_at"], name="explanation_decided_at"),
                ]
            },
        ),
    ]
