from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0006_books"),
    ]

    operations = [
        migrations.CreateModel(
            name="CatalogueVersion",
            fields=[
                ("version", models.PositiveIntegerField(primary_key=True, serialize=False)),
                ("contents", models.JSONField()),
                ("stored_at", models.DateTimeField()),
            ],
        ),
    ]
