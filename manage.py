#!/usr/bin/env python
"""Django's command line, for Plaza."""

import os
import sys


def main() -> None:
    """A wrong value of the environment is told in one line, with exit code 78 (EX_CONFIG)."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as refusal:
        if settings.configured:
            raise  # a command's own: the traceback tells where
        sys.stderr.write(f"{refusal}\n")
        sys.exit(os.EX_CONFIG)


if __name__ == "__main__":
    main()
