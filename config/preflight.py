"""`python -m config.preflight`: whether the settings load from this environment, in half a second.

Exit code 0; or 78 (EX_CONFIG) and one line that names the variable.
"""

import os
import sys

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")  # noqa: TID251  as manage.py
    try:
        settings.INSTALLED_APPS  # noqa: B018  the first name that is asked for loads the file
    except ImproperlyConfigured as refusal:
        sys.stderr.write(f"{refusal}\n")
        sys.exit(os.EX_CONFIG)


if __name__ == "__main__":
    main()
