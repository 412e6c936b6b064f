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
    """The roles that every tenant has; what each may do stands in config/roles.py."""

    OWNER = "owner"
    ADMIN = "admin"
    BILLING = "billing"
    EDITOR = "editor"
    MEMBER = "member"
    READ_ONLY = "read_only"


class Permission(StrEnum):
    """What somebody may do: `noun:verb`. Roles are sets of these, and so are the scopes of a key.

    A scope named by a verb (read, delete) is of all nouns; `write` is of every other verb.
    """

    ME_READ = "me:read"
    ME_WRITE = "me:write"
    # The organisation's plan, seats and settings.
    TENANT_READ = "tenant:read"
    TENANT_WRITE = "tenant:write"
    MEMBERS_READ = "members:read"
    MEMBERS_WRITE = "members:write"
    MEMBERS_DELETE = "members:delete"
    ROLES_WRITE = "roles:write"
    ROLES_DELETE = "roles:delete"
    OWNERSHIP_TRANSFER = "ownership:transfer"
    API_KEYS_READ = "api_keys:read"
    API_KEYS_WRITE = "api_keys:write"
    API_KEYS_DELETE = "api_keys:delete"
    USAGE_READ = "usage:read"
    USAGE_WRITE = "usage:write"
    BILLING_READ = "billing:read"
    BILLING_WRITE = "billing:write"
    EXPORTS_READ = "exports:read"
    EXPORTS_WRITE = "exports:write"
    # An archive holds everything: that somebody may read does not let a key take it along.
    EXPORTS_DOWNLOAD = "exports:download"
    AUDIT_READ = "audit:read"
    AUDIT_EXPORT = "audit:export"
    DOMAINS_READ = "domains:read"
    DOMAINS_WRITE = "domains:write"
    DOMAINS_DELETE = "domains:delete"
    SSO_READ = "sso:read"
    SSO_WRITE = "sso:write"
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_WRITE = "webhooks:write"
    WEBHOOKS_DELETE = "webhooks:delete"
    # Without it e-mails and phones are masked.
    PII_READ = "pii:read"
    PRIVACY_READ = "privacy:read"
    PRIVACY_WRITE = "privacy:write"
    PRIVACY_DELETE = "privacy:delete"
    CONTACTS_READ = "contacts:read"
    CONTACTS_WRITE = "contacts:write"
    CONTACTS_DELETE = "contacts:delete"
    COMPANIES_READ = "companies:read"
    COMPANIES_WRITE = "companies:write"
    COMPANIES_DELETE = "companies:delete"
    ORDERS_READ = "orders:read"
    ORDERS_WRITE = "orders:write"
    ORDERS_DELETE = "orders:delete"
    DEALS_READ = "deals:read"
    DEALS_WRITE = "deals:write"
    DEALS_DELETE = "deals:delete"
    IMPORTS_READ = "imports:read"
    IMPORTS_WRITE = "imports:write"
    CAMPAIGNS_READ = "campaigns:read"
    CAMPAIGNS_WRITE = "campaigns:write"
    CAMPAIGNS_DELETE = "campaigns:delete"
    CAMPAIGNS_SEND = "campaigns:send"
    CONTENT_READ = "content:read"
    CONTENT_WRITE = "content:write"
    CONTENT_DELETE = "content:delete"
    CONTENT_REVIEW = "content:review"

    @property
    def noun(self) -> str:
        return self.value.partition(":")[0]

    @property
    def verb(self) -> str:
        return self.value.partition(":")[2]


@dataclass(frozen=True, slots=True)
class Needs:
    """A view's declaration: the feature, the permissions to read, write and delete, the meter and its cost.

    Undeclared, writing is for who may change the organisation's settings; and deleting is writing.

    `rate` names a rate of the plan that applies besides the tenant's (dear work: generation).

    `cost` are the units that one request takes of the API calls and of the rates; one that searches
    takes `search_cost` more, and a batch takes that of each item of the API calls (quotas/costs.py).

    `public` views ask for no credentials (sign-in, docs). `critical` ones stay reachable for a
    refused tenant (usage, plan, sign-in, export, support): no state, feature, quota or rate of the
    plan refuses them. `deferrable` is bulk work, which waits first when the server is overloaded.
    """

    feature: Feature | None = None
    read: Permission = Permission.TENANT_READ
    write: Permission = Permission.TENANT_WRITE
    delete: Permission | None = None
    meter: Meter | None = Meter.API_CALLS
    cost: int = 1
    search_cost: int = 1
    rate: RateClass | None = None
    public: bool = False
    critical: bool = False
    deferrable: bool = False

    def permission_for(self, method: str) -> Permission:
        if method in SAFE_METHODS:
            return self.read
        return (self.delete or self.write) if method == "DELETE" else self.write


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
