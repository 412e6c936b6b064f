from django.db import migrations, models


class Migration(migrations.Migration):
    """Expand: old code ignores when a person ended all of their sessions."""

    dependencies = [("tenants", "0010_data_region")]
    operations = [
        migrations.AddField("person", "signed_out_at", models.DateTimeField(null=True)),
    ]
