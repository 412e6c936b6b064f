"""A tenant's own periods of retention."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("crm", "0003_privacy")]

    operations = [
        migrations.CreateModel(
            name="RetentionRule",
            fields=[
                (
                    "data_class",
                    models.CharField(max_length=40, primary_key=True, serialize=False),
                ),
                ("days", models.PositiveIntegerField(null=True)),
                ("changed_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(days__gte=1), name="retention_rule_is_a_day_or_more"
                    )
                ],
            },
        ),
    ]
