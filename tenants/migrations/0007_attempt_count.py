from django.db import migrations, models


class Migration(migrations.Migration):
    """Sign-in and its like are counted here too: Redis may be away, or come back empty."""

    dependencies = [("tenants", "0006_mails_and_webhooks")]
    operations = [
        migrations.CreateModel(
            name="AttemptCount",
            fields=[
                ("key", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("count", models.PositiveIntegerField()),
                ("ends_at", models.DateTimeField(db_index=True)),
            ],
        ),
    ]
