"""What each role that every tenant has may do. A tenant's own roles are other sets of the same permissions."""

from collections.abc import Mapping

from config.needs import Permission, Role

# Whoever is a member at all.
EVERYBODY = frozenset({Permission.ME_READ, Permission.ME_WRITE, Permission.TENANT_READ})
_WORK = frozenset(
    {"contacts", "companies", "orders", "deals", "imports", "campaigns", "content", "usage"}
)
_DECISIONS = frozenset({Permission.CAMPAIGNS_SEND, Permission.CONTENT_REVIEW})
_MONEY = frozenset({Permission.BILLING_READ, Permission.BILLING_WRITE})
_SEATS = frozenset({Permission.MEMBERS_WRITE, Permission.MEMBERS_DELETE})
_OWNERS = frozenset({Permission.OWNERSHIP_TRANSFER})

_work = frozenset(each for each in Permission if each.noun in _WORK)
_reading = EVERYBODY | {each for each in _work if each.verb == "read"} | {Permission.MEMBERS_READ}
_seeing = _reading | {Permission.PII_READ}

BUILT_IN: Mapping[Role, frozenset[Permission]] = {
    Role.OWNER: frozenset(Permission),
    Role.ADMIN: frozenset(Permission) - _OWNERS,
    # Sees plans, invoices and usage, gives seats to its like, and changes no customer data.
    Role.BILLING: _seeing | _MONEY | _SEATS,
    Role.EDITOR: _seeing | _work,
    Role.MEMBER: _seeing | (_work - _DECISIONS),
    Role.READ_ONLY: _reading,
}
