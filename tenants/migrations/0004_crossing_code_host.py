from django.db import migrations, models


class Migration(migrations.Migration):
    """Expand: old code writes no host, and its codes, which live 60 s, are refused by the new one."""

    dependencies = [("tenants", "0003_tenant_version")]

    operations = [
        migrations.AddField(
            model_name="crossingcode",
            name="host",
            field=models.CharField(db_default="", max_length=253),
        ),
    ]
