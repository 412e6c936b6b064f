"""A sign-in that began at a tenant's own domain ends there; nobody is led to a host that is not the tenant's."""

from urllib.parse import parse_qs, urlsplit

import pytest

from tenants.identity.crossing import square_url
from tenants.models import Domain
from tenants.services import host_of
from tests.factories import DomainFactory
from tests.tenants.identity.journeys import Journey, linked, local
from tests.tenants.identity.people import browser

pytestmark = pytest.mark.usefixtures("openid")
SHOP = "shop.example.com"


@pytest.fixture
def shop(acme, now) -> str:
    """A proved domain of acme's own."""
    DomainFactory(
        tenant=acme, domain=SHOP, is_primary=False, proof="plaza-proof=x", verified_at=now
    )
    return SHOP


def test_a_sign_in_begun_at_an_own_domain_opens_the_session_there(acme, owner, issuer, shop):
    first = Journey(acme, host=shop)
    asked = first.come_back()
    assert f"form-action 'self' http://{shop}:8000" in asked["Content-Security-Policy"]

    arrived = first.arrive(first.link())

    assert (arrived.status_code, arrived["Location"]) == (302, "/private")
    assert first.stall.get("/private").json()["member"] == str(owner.pk)
    assert browser(acme).get("/private").status_code == 302

    second = Journey(acme, host=shop)
    second.arrive(second.come_back())
    assert second.stall.get("/private").json()["member"] == str(owner.pk)


def test_a_code_for_one_host_is_worthless_at_another_of_the_same_tenant(acme, owner, issuer, shop):
    linked(owner, issuer)
    journey = Journey(acme, host=shop)
    across = local(journey.come_back()["Location"])
    at_subdomain = browser(acme)
    at_subdomain.cookies = journey.stall.cookies

    assert at_subdomain.get(across).status_code == 401
    assert journey.stall.get(across).status_code == 401


@pytest.mark.parametrize(
    "host",
    ["evil.test", "globex.plaza.localhost", "shop.globex.example", "", "\x00", "SHOP.example.com",
     "shop.example.com:8000", "shop.example.com@evil.test", "plaza.localhost"],
)  # fmt: skip
def test_a_host_that_is_not_the_tenants_leads_to_its_subdomain(
    acme, globex, owner, issuer, shop, now, host
):
    DomainFactory(
        tenant=globex, domain="shop.globex.example", is_primary=False, proof="x", verified_at=now
    )
    linked(owner, issuer)
    journey = Journey(acme)
    proof = parse_qs(urlsplit(journey.stall.get("/login/openid")["Location"]).query)["proof"][0]
    square = browser()
    asked = {"tenant": "acme", "host": host}

    home = square.get("/login/openid", asked)
    away = square.get("/login/openid", {**asked, "proof": proof})
    back = square.get(journey.consent(away["Location"]))

    expected = f"http://{host_of('acme')}:8000"
    assert home["Location"] == f"{expected}/login/openid"
    assert back["Location"].startswith(f"{expected}/login/crossing?")


def test_a_domain_given_up_on_the_way_is_led_to_no_more(acme, owner, issuer, shop):
    linked(owner, issuer)
    journey = Journey(acme, host=shop)
    back = journey.return_address()
    Domain.objects.filter(domain=shop).delete()

    answer = journey.square.get(back)

    assert answer["Location"].startswith(f"http://{host_of('acme')}:8000/login/crossing?")


def test_the_square_is_told_the_host_at_which_one_set_out(acme, shop):
    away = browser(host=f"{shop}:8000").get("/login/openid")

    assert away["Location"].startswith(square_url("/login/openid?"))
    assert parse_qs(urlsplit(away["Location"]).query)["host"] == [shop]
