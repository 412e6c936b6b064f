"""What stands in the place of tenancy in tests.bench.bare_settings."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from tenants.isolation import square_context, tenant_context
from tenants.models import Tenant


class OneTenant:
    """The first tenant of the database, for every request and whoever asks."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self._tenant: Tenant | None = None

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if self._tenant is None:
            with square_context():
                self._tenant = Tenant.objects.get(slug="bench-0")
        request.urlconf = settings.ROOT_URLCONF
        with tenant_context(self._tenant):
            return self.get_response(request)
