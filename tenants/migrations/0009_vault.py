import django.db.models.functions.datetime
from django.db import migrations, models

import config.ids


class Migration(migrations.Migration):
    dependencies = [("tenants", "0008_trail")]

    operations = [
        migrations.CreateModel(
            name="DataKey",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=config.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("tenant_id", models.UUIDField()),
                ("version", models.PositiveIntegerField()),
                ("master", models.CharField(db_index=True, max_length=200)),
                ("wrapped", models.BinaryField()),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant_id", "version"), name="data_key_version_of_tenant"
                    )
                ],
            },
        ),
    ]
