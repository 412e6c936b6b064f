import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import config.ids

BUILT_IN = ["owner", "admin", "billing", "editor", "member", "read_only"]


class Migration(migrations.Migration):
    """Expand: old code takes a member with a custom role for one who may only read."""

    dependencies = [("tenants", "0014_sso")]
    operations = [
        migrations.CreateModel(
            name="CustomRole",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=config.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=32)),
                ("description", models.CharField(blank=True, max_length=200)),
                (
                    "permissions",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=32), size=None
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="roles",
                        to="tenants.tenant",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=["tenant", "name"], name="role_once_per_tenant"),
                    models.CheckConstraint(
                        condition=~models.Q(name__in=BUILT_IN), name="role_is_not_built_in"
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="member",
            name="custom_role",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.RESTRICT,
                related_name="members",
                to="tenants.customrole",
            ),
        ),
        migrations.AddConstraint(
            model_name="member",
            constraint=models.CheckConstraint(
                condition=models.Q(custom_role=None) | models.Q(role="read_only"),
                name="member_of_custom_role_is_else_least",
            ),
        ),
    ]
