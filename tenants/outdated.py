"""An answer that is none: what was known of the tenant is out of date, so the request is asked again."""

from django.http import HttpResponse


class OutOfDate(HttpResponse):
    """TenantMiddleware takes it back, and asks again with what is true now. Nobody else ever sees it."""

    status_code = 503
