import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

import config.ids


class Migration(migrations.Migration):
    """Expand: where somebody is signed in. Sessions and tokens of before have no row, and go on."""

    dependencies = [("tenants", "0012_mailed_proof")]
    operations = [
        migrations.CreateModel(
            name="SignIn",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=config.ids.new_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("session", "Session"), ("token", "Token")], max_length=8
                    ),
                ),
                ("address", models.CharField(blank=True, max_length=45)),
                ("user_agent", models.CharField(blank=True, max_length=200)),
                ("created_at", models.DateTimeField()),
                ("last_seen_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("has_second_factor", models.BooleanField(default=False)),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sign_ins",
                        to="tenants.member",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["member", "-last_seen_at"],
                        condition=Q(ended_at__isnull=True),
                        name="sign_in_open_of_member",
                    ),
                    models.Index(fields=["last_seen_at"], name="sign_in_last_seen"),
                ]
            },
        ),
    ]
