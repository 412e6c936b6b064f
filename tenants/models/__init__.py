"""Who: tenants and their hosts, people and their memberships, keys and tokens. All of it lives in public."""

from tenants.models.archives import Archive, Restoration
from tenants.models.attempts import AttemptCount
from tenants.models.claims import DomainClaim
from tenants.models.factors import Authenticator, RecoveryCode
from tenants.models.fleet import ReadySchema, Template
from tenants.models.life import Erasure
from tenants.models.messages import Mail, WebhookDelivery, WebhookEndpoint
from tenants.models.people import (
    ApiKey,
    CrossingCode,
    Member,
    Person,
    PersonIdentity,
    PersonManager,
    RefreshToken,
)
from tenants.models.proofs import MailedProof
from tenants.models.roles import CustomRole
from tenants.models.sign_ins import SignIn
from tenants.models.sso import SsoConnection, SsoDomain, SsoIdentity
from tenants.models.stalls import Domain, RetiredSlug, Tenant
from tenants.models.trail import OPERATORS, OperatorEvent, TrailHead, TrailPending
from tenants.models.vault import THE_SQUARE, DataKey, SealedField
from tenants.models.versions import TenantVersion

__all__ = [
    "OPERATORS",
    "THE_SQUARE",
    "ApiKey",
    "Archive",
    "AttemptCount",
    "Authenticator",
    "CrossingCode",
    "CustomRole",
    "DataKey",
    "Domain",
    "DomainClaim",
    "Erasure",
    "Mail",
    "MailedProof",
    "Member",
    "OperatorEvent",
    "Person",
    "PersonIdentity",
    "PersonManager",
    "ReadySchema",
    "RecoveryCode",
    "RefreshToken",
    "Restoration",
    "RetiredSlug",
    "SealedField",
    "SignIn",
    "SsoConnection",
    "SsoDomain",
    "SsoIdentity",
    "Template",
    "Tenant",
    "TenantVersion",
    "TrailHead",
    "TrailPending",
    "WebhookDelivery",
    "WebhookEndpoint",
]
