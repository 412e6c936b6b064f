import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Expand: old code lets a guest with a custom role come as one who may only read."""

    dependencies = [("billing", "0012_currency_switch"), ("tenants", "0015_custom_roles")]
    operations = [
        migrations.AddField(
            model_name="invitation",
            name="custom_role",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="tenants.customrole",
            ),
        ),
    ]
