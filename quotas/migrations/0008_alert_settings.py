from django.db import migrations, models


class Migration(migrations.Migration):
    """Settings of alerts come along with an archive: the database says what they can be."""

    dependencies = [("quotas", "0007_spend")]
    operations = [
        migrations.AddConstraint(
            model_name="alertsetting",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("extra_percents__contained_by", list(range(1, 100))),
                    ("quiet_hours__lte", 720),
                ),
                name="alert_setting_can_be_told",
            ),
        ),
    ]
