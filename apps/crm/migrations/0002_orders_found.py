"""Indexes for `?search=` and `?amount__gte=` on orders."""

import django.contrib.postgres.indexes
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("crm", "0001_initial")]

    operations = [
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                django.contrib.postgres.indexes.OpClass("external_id", name="varchar_pattern_ops"),
                condition=models.Q(("external_id__isnull", False)),
                name="order_by_start_of_id",
            ),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(fields=["currency", "amount_minor"], name="order_by_amount"),
        ),
    ]
