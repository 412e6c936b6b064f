from django.db import migrations, models

# Those of the release before know no budget, and nobody declares them any more.
_OLD_FUNCTIONS = [
    "DROP FUNCTION IF EXISTS plaza.consume(text, text, text, text, text, text, text, text, text, text, text);",
    "DROP FUNCTION IF EXISTS plaza.report_usage(text, text, text, text, text);",
    "DROP FUNCTION IF EXISTS plaza.report_each_usage(uuid, timestamptz, text, text);",
    "DROP FUNCTION IF EXISTS plaza.correct_usage(text, text, text, text, text, text, text, text, text, text, text);",
]


class Migration(migrations.Migration):
    """What usage above the included weighs, and how much of it a tenant lets happen."""

    dependencies = [("quotas", "0006_explanation_credential")]
    operations = [
        migrations.AddField("grant", "weights", models.JSONField(db_default={})),
        migrations.AddField(
            "grant",
            "budget_unit",
            models.CharField(blank=True, db_default="", max_length=16),
        ),
        migrations.CreateModel(
            name="SpendCap",
            fields=[
                ("tenant_id", models.UUIDField(primary_key=True, serialize=False)),
                ("amount", models.BigIntegerField()),
                ("unit", models.CharField(max_length=16)),
                ("set_by", models.CharField(blank=True, db_default="", max_length=254)),
                ("set_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(amount__gte=0), name="spend_cap_is_not_negative"
                    )
                ]
            },
        ),
        migrations.CreateModel(
            name="Spend",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id", "period_start", blank=True, editable=False,
                        primary_key=True, serialize=False,
                    ),
                ),
                ("tenant_id", models.UUIDField()),
                ("period_start", models.DateTimeField()),
                ("spent", models.BigIntegerField()),
                ("carried", models.BigIntegerField(db_default=0)),
                ("since", models.JSONField(db_default={})),
            ],
        ),
        migrations.RunSQL(_OLD_FUNCTIONS, []),
    ]  # fmt: skip
