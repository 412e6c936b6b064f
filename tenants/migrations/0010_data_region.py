from django.db import migrations, models


class Migration(migrations.Migration):
    """Expand: where a tenant's data is stored. Empty is what was before regions were told apart."""

    dependencies = [("tenants", "0009_vault")]

    operations = [
        migrations.AddField(
            "tenant", "data_region", models.CharField(blank=True, db_default="", max_length=32)
        ),
    ]
