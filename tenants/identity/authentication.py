"""What DRF asks for: the person and the caller that CallerMiddleware has found already."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from tenants.identity.caller import Caller, caller_of
from tenants.models import Person


class CallerAuthentication(BaseAuthentication):
    """`request.user` is the person (for a key: its maker), `request.auth` the Caller."""

    def authenticate(self, request: Request) -> tuple[Person, Caller] | None:
        asked = request._request  # noqa: SLF001 (DRF's own way to the HttpRequest)
        caller = caller_of(asked)
        if caller.is_anonymous:
            return None
        person: Person = asked.user  # type: ignore[assignment]  # set by CallerMiddleware
        return person, caller

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="plaza"'


class CallerSecurity(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The two ways in, for /openapi.json."""

    target_class = "tenants.identity.authentication.CallerAuthentication"
    name = ["bearer", "apiKey"]

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[Any]]]:
        return [{name: []} for name in self.name]  # either will do

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, str]]:
        return [
            {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            {
                "type": "apiKey",
                "in": "header",
                "name": "Authorization",
                "description": "`Api-Key plz_…`",
            },
        ]
