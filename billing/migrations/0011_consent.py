from django.db import migrations, models


class Migration(migrations.Migration):
    """Expand: what a buyer was asked to consent to, where, and until when. Old code ignores it."""

    dependencies = [("billing", "0010_fiscal_stamps")]
    operations = [
        migrations.AddField(
            "subscriptionchange",
            "consent_minor",
            models.PositiveBigIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            "subscriptionchange",
            "consent_url",
            models.TextField(blank=True, default="", db_default=""),
        ),
        migrations.AddField(
            "subscriptionchange", "expires_at", models.DateTimeField(blank=True, null=True)
        ),
        migrations.AddField(
            "subscriptionchange", "then_terms", models.JSONField(blank=True, null=True)
        ),
        migrations.AddIndex(
            "subscriptionchange",
            models.Index(
                fields=["expires_at"],
                condition=models.Q(("status", "pending")),
                name="change_consent_due",
            ),
        ),
    ]
