from django.db import migrations

EXTENSIONS = ("pg_trgm", "citext", "unaccent", "btree_gin")


class Migration(migrations.Migration):
    """Extensions live in a schema of their own that is on every search path. All four are trusted."""

    initial = True
    dependencies: list[tuple[str, str]] = []
    operations = [
        migrations.RunSQL("CREATE SCHEMA IF NOT EXISTS ext", migrations.RunSQL.noop),
        *[
            migrations.RunSQL(
                f"CREATE EXTENSION IF NOT EXISTS {name} SCHEMA ext", migrations.RunSQL.noop
            )
            for name in EXTENSIONS
        ],
    ]
