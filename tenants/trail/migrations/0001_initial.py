import config.ids
from django.db import migrations, models

# Of a tenant that is older than this table: its role got every right on it by default, and the keeper
# none. A new tenant's are given with its role (tenants/roles.py), and the template has no role.
_CLOSE = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = current_schema() AND rolname ~ '^t_[0-9a-f]{32}$') THEN
        EXECUTE format('REVOKE ALL ON trail_event FROM %I', current_schema());
        EXECUTE format('GRANT SELECT ON trail_event TO %I', current_schema());
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO plaza_keeper', current_schema());
        GRANT INSERT ON trail_event TO plaza_keeper;
    END IF;
END $$
"""


class Migration(migrations.Migration):
    """Expand: the audit trail of each tenant. Code before it writes none."""

    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="TrailEvent",
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
                "db_table": "trail_event",
                "indexes": [
                    models.Index(fields=["recorded_at"], name="trail_event_at"),
                    models.Index(fields=["actor_id", "number"], name="trail_event_of_actor"),
                    models.Index(fields=["object_id", "number"], name="trail_event_of_object"),
                    models.Index(fields=["action", "number"], name="trail_event_of_action"),
                ],
            },
        ),
        migrations.RunSQL(_CLOSE, migrations.RunSQL.noop),
    ]
