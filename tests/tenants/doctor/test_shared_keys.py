"""Keys and secrets that open more than one lock."""

from datetime import UTC, datetime

import pytest

from config.ids import new_id

pytestmark = pytest.mark.django_db
PERSON = (
    "INSERT INTO public.tenants_person (id, email, name, kind, is_active, is_superuser, password, locale)"
    " VALUES ('{person}', 'p@doctor.test', '', 'member', true, false, '', '')"
)
MEMBER = (
    "INSERT INTO public.tenants_member (id, tenant_id, person_id, role)"
    " VALUES ('{member}', '{tenant}', '{person}', 'owner')"
)


@pytest.fixture
def members(ward):
    """One person who is a member of two tenants: (tenant id, member id) of each."""
    person = str(new_id())
    ward.run(PERSON.replace("{person}", person))
    found = [(str(tenant), str(new_id())) for tenant in (ward.sick.id, ward.acme.id)]
    for tenant, member in found:
        ward.run(
            MEMBER.replace("{member}", member)
            .replace("{tenant}", tenant)
            .replace("{person}", person)
        )
    yield found
    ward.run(
        "DELETE FROM public.tenants_refreshtoken; DELETE FROM public.tenants_apikey;"
        f"DELETE FROM public.tenants_member; DELETE FROM public.tenants_person WHERE id = '{person}'"
    )


def test_one_api_key_in_two_tenants_is_found(ward, members):
    for number, (tenant, member) in enumerate(members):
        ward.run(
            "INSERT INTO public.tenants_apikey"
            " (id, tenant_id, name, prefix, key_hash, scopes, created_by_id)"
            f" VALUES ('{new_id()}', '{tenant}', 'k', 'plz_{number}', 'same', '{{}}', '{member}')"
        )

    [finding] = ward.found()
    assert (finding.code, finding.fault.what) == (
        "api_key_shared",
        "One API key opens acme and sick (plz_1, plz_0).",
    )


def test_one_family_of_refresh_tokens_in_two_tenants_is_found(ward, members):
    family = new_id()
    for number, (_, member) in enumerate(members):
        ward.run(
            "INSERT INTO public.tenants_refreshtoken (id, member_id, family, token_hash, expires_at)"
            f" VALUES ('{new_id()}', '{member}', '{family}', 'hash-{number}', now())"
        )

    [finding] = ward.found()
    assert (finding.code, finding.fault.what) == (
        "refresh_family_shared",
        "One family of refresh tokens serves acme and sick.",
    )


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"SESSION_COOKIE_DOMAIN": ".plaza.localhost"}, "session_shared"),
        (
            {"IS_PRODUCTION": True, "SECRET_KEY": "dev-" + "x" * 60, "STRIPE_WEBHOOK_SECRET": "w"},
            "secret_shared",
        ),
        (
            {
                "IS_PRODUCTION": True,
                "SECRET_KEY": "k" * 60,
                "STRIPE_WEBHOOK_SECRET": "k" * 60,
            },
            "secret_shared",
        ),
        (
            {
                "IS_PRODUCTION": True, "SECRET_KEY": "k" * 60, "STRIPE_WEBHOOK_SECRET": "w",
                "DATABASE_WEB": {"PASSWORD": "one"}, "DATABASE_SQUARE": {"PASSWORD": "one"},
            },
            "password_shared",
        ),
    ],
)  # fmt: skip
def test_settings_that_join_tenants_are_found(ward, settings, changes, code):
    from tenants.doctor.examination import examine

    for name, value in changes.items():
        # The sign-ins are those of this run but for their passwords.
        is_sign_in = name.startswith("DATABASE_")
        setattr(settings, name, getattr(settings, name) | value if is_sign_in else value)
    found = examine(now=datetime.now(UTC), codes=frozenset({code}))
    assert [one.code for one in found] == [code]
