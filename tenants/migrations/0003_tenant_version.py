from django.db import migrations, models


class Migration(migrations.Migration):
    """A tenant without a row gets one when it is first read or changed (tenants/versions.py)."""

    dependencies = [("tenants", "0002_life_and_fleet")]
    operations = [
        migrations.CreateModel(
            name="TenantVersion",
            fields=[
                ("tenant_id", models.UUIDField(primary_key=True, serialize=False)),
                ("token", models.CharField(max_length=32)),
                ("changed_at", models.DateTimeField(db_index=True)),
            ],
        ),
    ]
