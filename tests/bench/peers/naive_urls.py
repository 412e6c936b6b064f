"""The same nouns with what a team adds by hand: a flag by query, a quota row updated, django-ratelimit."""

from typing import Any

from django.db import connection
from django.urls import include, path
from django_ratelimit.core import get_usage
from rest_framework.exceptions import PermissionDenied, Throttled
from rest_framework.request import Request
from rest_framework.routers import SimpleRouter

from tests.bench.peers.urls import VIEWS

_FLAG = "SELECT enabled FROM public.naive_flag WHERE schema = %s AND flag = 'crm'"
_QUOTA = "UPDATE public.naive_quota SET used = used + 1 WHERE schema = %s AND used < allowed"


class Enforced:
    """Before the view's own work, as a DRF mixin."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)  # type: ignore[misc]
        schema = connection.schema_name  # type: ignore[attr-defined]  # django-tenants'
        with connection.cursor() as cursor:
            cursor.execute(_FLAG, [schema])
            if not cursor.fetchone()[0]:
                raise PermissionDenied
            cursor.execute(_QUOTA, [schema])
            if not cursor.rowcount:
                raise Throttled
        usage = get_usage(
            request._request,
            group="api",
            key=lambda *_: schema,
            rate="1000000000/m",
            increment=True,
        )
        if usage is None or usage["should_limit"]:
            raise Throttled


router = SimpleRouter(trailing_slash=False)
for noun, view in VIEWS.items():
    router.register(noun, type(view.__name__, (Enforced, view), {}))
urlpatterns = [path("api/v1/", include(router.urls))]
