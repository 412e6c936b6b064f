"""The web server's entry: `granian --interface wsgi config.wsgi:application`."""

import os
from collections.abc import Iterable
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver
from django.utils.http import parse_header_parameters

from config.checks import refuse_to_start
from config.context import begin_serving
from config.garbage import settle

begin_serving()
_django = get_wsgi_application()
refuse_to_start()
for _urls in (settings.ROOT_URLCONF, settings.PUBLIC_SCHEMA_URLCONF, settings.API_URLCONF):
    get_resolver(_urls).url_patterns  # noqa: B018 (views are loaded now, and not by the first request)
settle()


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Django reads the charset before any middleware, and fails there on one that is no text's."""
    environ["CONTENT_TYPE"] = _in_utf8(environ.get("CONTENT_TYPE", ""))
    return _django(environ, start_response)


def _in_utf8(content_type: str) -> str:
    """The content type without a charset other than UTF-8, and without what cannot be read of it."""
    try:
        kind, options = parse_header_parameters(content_type)
    except ValueError:
        return content_type.partition(";")[0]
    if options.get("charset", "utf-8").lower() in {"utf-8", "utf8"}:
        return content_type
    boundary = options.get("boundary")
    return f'{kind}; boundary="{boundary}"' if boundary else kind
