"""What a view declares that it needs; the gate and the roles read it. Closed by default."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Feature(StrEnum):
    """What a plan switches on."""

    CRM = "crm"
    IMPORTS = "imports"
    CAMPAIGNS = "campaigns"
    CONTENT = "content"
    API_KEYS = "api_keys"
    SINGLE_SIGN_ON = "single_sign_on"
    AUDIT_EXPORT = "audit_export"
    CUSTOM_DOMAINS = "custom_domains"


class Meter(StrEnum):
    """What is counted against a plan."""

    API_CALLS = "api_calls"
    CONTACTS = "contacts"
    SEATS = "seats"
    CAMPAIGNS = "campaigns"
    BULK_TASKS = "bulk_tasks"
    EMAILS = "emails"
    SMS = "sms"
    TEXT_GENERATIONS = "text_generations"
    IMAGES = "images"
    TOKENS = "tokens"
    VALIDATIONS = "validations"
    STORAGE_BYTES = "storage_bytes"
    ACTIVE_PEOPLE = "active_people"
    VISITORS_AT_ONCE = "visitors_at_once"


class RateClass(StrEnum):
    """Kinds of endpoints with a rate of their own in each plan, beside the tenant's."""

    CONTENT_GENERATE = "content_generate"
    PREDICTIONS = "predictions"
    DOCUMENT_GENERATE = "document_generate"

    @property
    def scope(self) -> str:
        """Its name among the rates of a grant: `endpoint:content_generate`."""
        return f"endpoint:{self.value}"


class Role(StrEnum):
    """What a member may do. Owner and admin may everything but what `permits` keeps from them."""

    OWNER = "owner"
    ADMIN = "admin"
    BILLING = "billing"
    EDITOR = "editor"
    MEMBER = "member"
    READ_ONLY = "read_only"

    def permits(self, needed: "Role") -> bool:
        """Whether a member of this role may do what is declared for `needed`."""
        return needed in _PERMITS[self]


_WORK = frozenset({Role.EDITOR, Role.MEMBER, Role.READ_ONLY})
_PERMITS: dict[Role, frozenset[Role]] = {
    Role.OWNER: frozenset(Role),
    Role.ADMIN: frozenset(Role) - {Role.OWNER},
    # The billing role sees plans, invoices and usage, and changes no customer data.
    Role.BILLING: frozenset({Role.BILLING, Role.READ_ONLY}),
    Role.EDITOR: _WORK,
    Role.MEMBER: _WORK - {Role.EDITOR},
    Role.READ_ONLY: frozenset({Role.READ_ONLY}),
}


@dataclass(frozen=True, slots=True)
class Needs:
    """A view's declaration: the feature, the least role to read and to write, the meter and its cost.

    `rate` names a rate of the plan that applies besides the tenant's (dear work: generation).

    `cost` are the units that one request takes of the API calls and of the rates; one that searches
    takes `search_cost` more, and a batch takes that of each item of the API calls (quotas/costs.py).

    `read_scope` is what a key must be given to read here, beside its maker's role: a read key takes no
    archive of everything along.

    `public` views ask for no credentials (sign-in, docs). `critical` ones stay reachable for a
    refused tenant (usage, plan, sign-in, export, support): no state, feature, quota or rate of the
    plan refuses them. `deferrable` is bulk work, which waits first when the server is overloaded.
    """

    feature: Feature | None = None
    read: Role = Role.READ_ONLY
    write: Role = Role.MEMBER
    meter: Meter | None = Meter.API_CALLS
    cost: int = 1
    search_cost: int = 1
    rate: RateClass | None = None
    public: bool = False
    critical: bool = False
    deferrable: bool = False
    read_scope: str = "read"

    def role_for(self, method: str) -> Role:
        return self.read if method in SAFE_METHODS else self.write

    def scope_for(self, method: str) -> str:
        if method in SAFE_METHODS:
            return self.read_scope
        return "delete" if method == "DELETE" else "write"


View = TypeVar("View", bound=Callable[..., Any])


def needs(declared: Needs) -> Callable[[View], View]:
    """Declare a function view's needs; a class carries the attribute `needs` instead."""

    def mark(view: View) -> View:
        view.needs = declared  # type: ignore[attr-defined]
        return view

    return mark


def declared_by(view: Callable[..., Any]) -> Needs | None:
    """What `view` (a function, `as_view()` of a class, or a viewset) declares, or None."""
    holder = getattr(view, "cls", None) or getattr(view, "view_class", None) or view
    declared = getattr(holder, "needs", None)
    return declared if isinstance(declared, Needs) else None
