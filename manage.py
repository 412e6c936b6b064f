#!/usr/bin/env python
"""Django's command line, for Plaza."""

import os
import sys
from contextlib import nullcontext

# Django's and django-tenants' own, which look at or change the schema: they run as the owner.
OWNERS_COMMANDS = frozenset(
    {
        *("migrate", "migrate_schemas", "makemigrations", "showmigrations", "sqlmigrate"),
        *("flush", "inspectdb", "optimizemigration", "squashmigrations", "create_missing_schemas"),
    }
)


def main() -> None:
    """A wrong value of the environment is told in one line, with exit code 78 (EX_CONFIG)."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    from config.context import Place, at_place

    is_owners = len(sys.argv) > 1 and sys.argv[1] in OWNERS_COMMANDS
    try:
        with at_place(Place.OWNER) if is_owners else nullcontext():
            execute_from_command_line(sys.argv)
    except ImproperlyConfigured as refusal:
        if settings.configured:
            raise  # a command's own: the traceback tells where
        sys.stderr.write(f"{refusal}\n")
        sys.exit(os.EX_CONFIG)


if __name__ == "__main__":
    main()
