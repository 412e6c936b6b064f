"""Expand: another kind of command, by which a provider comes to collect in another currency."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0011_consent")]

    operations = [
        migrations.AlterField(
            model_name="providercommand",
            name="kind",
            field=models.CharField(
                choices=[
                    ("collect", "Collect"),
                    ("withdraw", "Withdraw"),
                    ("refund", "Refund"),
                    ("entrust", "Entrust"),
                    ("carry", "Carry"),
                    ("mirror", "Mirror"),
                    ("switch", "Switch"),
                ],
                max_length=16,
            ),
        ),
    ]
