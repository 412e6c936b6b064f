from django.db import migrations, models


class Migration(migrations.Migration):
    """Who may not see every refusal sees their own: found by the credential, not by reading all."""

    dependencies = [("quotas", "0005_ledger")]
    operations = [
        migrations.AddField(
            model_name="explanation",
            name="credential",
            field=models.CharField(blank=True, db_default="", max_length=64),
        ),
        migrations.AddIndex(
            model_name="explanation",
            index=models.Index(
                fields=["tenant_id", "credential", "decided_at"], name="explanation_of_credential"
            ),
        ),
    ]
