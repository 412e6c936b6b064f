"""Keys that open more than one lock: two tenants' API keys, secrets that are one another's, or known to all."""

from collections import defaultdict
from collections.abc import Iterator

from django.conf import settings

from tenants.doctor.findings import Fault, Patient

_SECRETS = ("SECRET_KEY", "TOKEN_SIGNING_KEY", "PLAZA_DB_KEY", "STRIPE_WEBHOOK_SECRET")
# As in examples, tests and start projects.
_KNOWN_TO_ALL = ("dev-", "test-", "django-insecure", "change", "example", "secret", "whsec_dev")


def api_keys(patient: Patient) -> Iterator[Fault]:
    """The hash is of random bytes: two equal ones were copied, by hand or by a restore."""
    rows = patient.ask("""
        SELECT array_agg(k.prefix ORDER BY t.slug), array_agg(t.slug ORDER BY t.slug),
               (array_agg(t.id ORDER BY t.slug))[1]
          FROM public.tenants_apikey AS k JOIN public.tenants_tenant AS t ON t.id = k.tenant_id
         WHERE k.revoked_at IS NULL
         GROUP BY k.key_hash HAVING count(DISTINCT k.tenant_id) > 1 ORDER BY 2
    """)  # fmt: skip
    for prefixes, slugs, tenant_id in rows:
        yield Fault(
            f"One API key opens {' and '.join(slugs)} ({', '.join(prefixes)}).",
            "Revoke it in each of them, and let each make its own.",
            tenant_id,
        )


def sessions(patient: Patient) -> Iterator[Fault]:
    """A cookie with a Domain is sent to every tenant's host: one session opens, or shadows, another's."""
    for name in ("SESSION_COOKIE_DOMAIN", "CSRF_COOKIE_DOMAIN", "LANGUAGE_COOKIE_DOMAIN"):
        if getattr(settings, name):
            yield Fault(f"{name} is set: all tenants share a cookie.", f"Unset {name}.")


def refresh_families(patient: Patient) -> Iterator[Fault]:
    """A family of refresh tokens belongs to one sign-in, so to one member."""
    rows = patient.ask("""
        SELECT r.family, array_agg(DISTINCT t.slug ORDER BY t.slug)
          FROM public.tenants_refreshtoken AS r
          JOIN public.tenants_member AS m ON m.id = r.member_id
          JOIN public.tenants_tenant AS t ON t.id = m.tenant_id
         GROUP BY 1 HAVING count(DISTINCT m.tenant_id) > 1 ORDER BY 1
    """)  # fmt: skip
    for family, slugs in rows:
        yield Fault(
            f"One family of refresh tokens serves {' and '.join(slugs)}.",
            f"Revoke the family {family}; those people sign in again.",
        )


def secrets(patient: Patient) -> Iterator[Fault]:
    """In production each secret is one, and nobody else's."""
    if not settings.IS_PRODUCTION:
        return
    held: defaultdict[str, list[str]] = defaultdict(list)
    for name in _SECRETS:
        value = str(getattr(settings, name, ""))
        if value:
            held[value].append(name)
        if value.lower().startswith(_KNOWN_TO_ALL):
            yield Fault(f"{name} is one that everybody knows.", f"Set {name} to fresh random text.")
    for names in held.values():
        if len(names) > 1:
            yield Fault(f"{' and '.join(names)} are the same secret.", "Set each to its own.")


def passwords(patient: Patient) -> Iterator[Fault]:
    """Sign-ins to the database with one password are one sign-in to who finds it."""
    held: defaultdict[str, list[str]] = defaultdict(list)
    for variable, name in (
        ("DATABASE_URL", "DATABASE_WEB"),
        ("DATABASE_SQUARE_URL", "DATABASE_SQUARE"),
        ("DATABASE_OWNER_URL", "DATABASE_OWNER"),
    ):
        found = getattr(settings, name)
        if found and found["PASSWORD"]:
            held[found["PASSWORD"]].append(variable)
    for variables in held.values():
        if settings.IS_PRODUCTION and len(variables) > 1:
            yield Fault(
                f"{' and '.join(variables)} have one password.",
                "Give each sign-in its own password: ALTER ROLE … PASSWORD …;",
            )
