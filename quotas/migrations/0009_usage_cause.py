from django.db import migrations, models

# Those of the release before know no cause, and nobody declares them any more.
_OLD_FUNCTIONS = [
    "DROP FUNCTION IF EXISTS plaza.take_usage"
    "(uuid, uuid, text, text, bigint, timestamptz, timestamptz, bigint, text, text);",
    f"DROP FUNCTION IF EXISTS plaza.consume({', '.join(['text'] * 12)});",
    "DROP FUNCTION IF EXISTS plaza.report_all_usage(uuid, timestamptz, text, text);",
    "DROP FUNCTION IF EXISTS plaza.report_one_usage(uuid, timestamptz, jsonb, text, bigint, jsonb);",
    "DROP FUNCTION IF EXISTS plaza.report_each_usage(uuid, timestamptz, text, text, jsonb);",
    f"DROP FUNCTION IF EXISTS plaza.report_usage({', '.join(['text'] * 6)});",
]


class Migration(migrations.Migration):
    """Who and what caused each unit of use. Columns without a default of their own: no row is rewritten."""

    dependencies = [("quotas", "0008_alert_settings")]
    operations = [
        migrations.AddField(
            "usageevent", "app", models.CharField(blank=True, db_default="", max_length=32)
        ),
        migrations.AddField("usageevent", "member_id", models.UUIDField(null=True)),
        migrations.AddField("usageevent", "api_key_id", models.UUIDField(null=True)),
        migrations.AddField("usageevent", "campaign_id", models.UUIDField(null=True)),
        migrations.CreateModel(
            name="ApiCallShare",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id", "period_start", "app", "caller",
                        blank=True, editable=False, primary_key=True, serialize=False,
                    ),
                ),
                ("tenant_id", models.UUIDField()),
                ("period_start", models.DateTimeField()),
                ("app", models.CharField(blank=True, max_length=32)),
                ("caller", models.CharField(blank=True, max_length=48)),
                ("calls", models.BigIntegerField()),
            ],
        ),
        migrations.RunSQL(_OLD_FUNCTIONS, []),
    ]  # fmt: skip
