import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import config.ids


class Migration(migrations.Migration):
    """Expand: links of one use by mail, for new passwords and e-mail addresses."""

    dependencies = [("tenants", "0011_person_signed_out_at")]
    operations = [
        migrations.CreateModel(
            name="MailedProof",
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
                        choices=[
                            ("password_reset", "Password Reset"),
                            ("email_change", "Email Change"),
                        ],
                        max_length=16,
                    ),
                ),
                ("other_email", models.EmailField(blank=True, max_length=254)),
                ("secret_hash", models.CharField(blank=True, db_index=True, max_length=64)),
                ("expires_at", models.DateTimeField(db_index=True)),
                ("used_at", models.DateTimeField(null=True)),
                (
                    "person",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="mailed_proofs",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="mailed_proofs",
                        to="tenants.tenant",
                    ),
                ),
            ],
        ),
    ]
