"""What a key may be given: scopes as they are asked for, and the permissions that they come to."""

from collections.abc import Iterable, Mapping

from django.utils.translation import gettext as _

from config.errors import ValidationFailed
from config.needs import Permission

# For people alone. A key that made keys, gave roles or let others in would outlive its own revocation.
_PERSONS = frozenset(
    {
        Permission.ME_WRITE,
        Permission.ROLES_WRITE,
        Permission.ROLES_DELETE,
        Permission.OWNERSHIP_TRANSFER,
        Permission.API_KEYS_WRITE,
        Permission.SSO_WRITE,
    }
)
_KEYS = frozenset(Permission) - _PERSONS
# An app whose nouns are several has scopes of its own; of others the permissions are the scopes.
_APPS = {"crm": frozenset({"contacts", "companies", "orders", "deals", "imports"})}
# What any key may ask: who it is.
_ANY_KEY = frozenset({Permission.ME_READ})

ALL_SCOPES = frozenset({"read", "write", "delete"})
PRESETS: Mapping[str, frozenset[str]] = {"admin": ALL_SCOPES, "readonly": frozenset({"read"})}


def _scope_of(permission: Permission) -> str:
    return permission.verb if permission.verb in ALL_SCOPES else "write"


def _granted() -> dict[str, frozenset[Permission]]:
    """{scope: its permissions}"""
    by_verb = {
        scope: frozenset(each for each in _KEYS if _scope_of(each) == scope) for scope in ALL_SCOPES
    }
    by_app = {
        f"{app}:{scope}": found
        for app, nouns in _APPS.items()
        for scope, granted in by_verb.items()
        if (found := frozenset(each for each in granted if each.noun in nouns))
    }
    return {**by_verb, **by_app, **{each.value: frozenset({each}) for each in _KEYS}}


_GRANTED = _granted()


def scopes_of(names: Iterable[str]) -> frozenset[str]:
    """Scopes and presets (`admin`, `readonly`) as plain scopes. Raises ValidationFailed."""
    named = [*names]
    known = {**PRESETS, **{scope: frozenset({scope}) for scope in _GRANTED}}
    if not named or any(name not in known for name in named):
        allowed = ", ".join(sorted(known))
        raise ValidationFailed(errors={"scopes": [_("One or more of: %s.") % allowed]})
    return frozenset().union(*(known[name] for name in named))


def is_scope(permission: Permission) -> bool:
    """Whether a key can be given it."""
    return permission in _KEYS


def permissions_in(scopes: Iterable[str]) -> frozenset[Permission]:
    """What these scopes allow whoever holds the permissions. One that is known no more allows nothing."""
    return _ANY_KEY.union(*(_GRANTED.get(scope, frozenset()) for scope in scopes))
