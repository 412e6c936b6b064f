"""A client of a tenant's API over Django's test client: parsed JSON, and the status asserted by itself."""

from datetime import UTC, datetime
from typing import Any

from django.test import Client

from config.needs import Role
from tenants.identity.people import add_member
from tenants.identity.tokens import issue
from tenants.models import Member, Person, Tenant
from tenants.services import host_of

PASSWORD = "correct-horse-battery"


def member_of(tenant: Tenant, role: str = "owner") -> Member:
    """The tenant's member of that role, made when there is none: `<role>@<slug>.test`."""
    email = f"{role.replace('_', '-')}@{tenant.slug}.test"
    found = Member.objects.filter(tenant=tenant, person__email=email).first()
    if found is not None:
        return found
    person = Person.objects.create(email=email, name=role.title())
    return add_member(tenant=tenant, person=person, role=Role(role))


class Api:
    """`get`, `post`, `put`, `patch`, `delete`: the parsed answer; `last` is the raw response."""

    def __init__(self, tenant: Tenant, headers: dict[str, str]) -> None:
        self.tenant = tenant
        self.member: Member | None = None
        self.authorization = headers.get("Authorization", "")
        self.client = Client(headers={"Host": host_of(tenant.slug), **headers})
        self.last: Any = None

    @classmethod
    def signed_in(cls, tenant: Tenant, role: str = "owner") -> "Api":
        member = member_of(tenant, role)
        pair = issue(member=member, now=datetime.now(UTC))
        made = cls(tenant, {"Authorization": f"Bearer {pair.access}"})
        made.member = member
        return made

    @classmethod
    def anonymous(cls, tenant: Tenant) -> "Api":
        return cls(tenant, {})

    def get(self, path: str, data: Any = None, *, status: int = 200, **headers: str) -> Any:
        return self._ask("get", path, data, status, headers)

    def post(self, path: str, data: Any = None, *, status: int = 201, **headers: str) -> Any:
        return self._ask("post", path, data, status, headers)

    def put(self, path: str, data: Any = None, *, status: int = 200, **headers: str) -> Any:
        return self._ask("put", path, data, status, headers)

    def patch(self, path: str, data: Any = None, *, status: int = 200, **headers: str) -> Any:
        return self._ask("patch", path, data, status, headers)

    def delete(self, path: str, *, status: int = 204, **headers: str) -> Any:
        return self._ask("delete", path, None, status, headers)

    def upload(
        self, path: str, fields: dict[str, Any], *, status: int = 202, **headers: str
    ) -> Any:
        """A multipart POST; `fields` may hold open files."""
        self.last = self.client.post(path, fields, headers=_spelled(headers))
        return self._checked(path, status)

    def _ask(self, verb: str, path: str, data: Any, status: int, headers: dict[str, str]) -> Any:
        options: dict[str, Any] = {"headers": _spelled(headers)}
        if verb != "get":
            options["content_type"] = "application/json"
            data = {} if data is None and verb == "post" else data
        self.last = getattr(self.client, verb)(path, data, **options)
        return self._checked(path, status)

    def _checked(self, path: str, status: int) -> Any:
        assert self.last.status_code == status, (path, self.last.status_code, self.last.content)
        if "json" in self.last.headers.get("Content-Type", ""):
            return self.last.json()
        return self.last.content


def _spelled(headers: dict[str, str]) -> dict[str, str]:
    """`Idempotency_Key="x"` in Python is `Idempotency-Key: x` on the wire."""
    return {name.replace("_", "-"): value for name, value in headers.items()}
