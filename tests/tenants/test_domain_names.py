"""Which names can be a tenant's own domain, and how name servers are named."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.errors import ValidationFailed
from tenants import domains
from tenants.models import DomainClaim

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "name",
    [
        "", "shop", "com", "localhost", "shop.localhost", "printer.local", "x.internal", "x.onion",
        "1.0.0.127.in-addr.arpa", "127.0.0.1", "10.1", "[::1]", "::1", "http://shop.example.com",
        "shop.example.com/x", "shop.example.com:8000", "user@shop.example.com", "shop..example.com",
        ".shop.example.com", "-shop.example.com", "shop-.example.com", "*.example.com",
        "_plaza.example.com", "sh op.example.com", "shop.example.com\n.evil", "shop\0.example.com",
        f"{'a' * 64}.example.com", f"{'a.' * 125}com", "xn--a.example.com", "plaza.localhost",
        "acme.plaza.localhost", "globex.plaza.localhost", "new.plaza.localhost", "a" * 254,
    ],
)  # fmt: skip
def test_what_is_no_public_domain_or_ours_is_refused_by_name(acme, api, name):
    refused = api(acme).post("/api/v1/domains", {"domain": name}, status=400)

    assert list(refused["errors"]) == ["domain"]
    assert DomainClaim.objects.count() == 0


def test_the_domain_under_which_we_stand_is_ours_too(settings):
    settings.PLAZA_DOMAIN = "plaza.example.org"
    for name in ("example.org", "plaza.example.org", "a.plaza.example.org"):
        with pytest.raises(ValidationFailed):
            domains.domain_name(name)
    assert domains.domain_name("other.example.org") == "other.example.org"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Bücher.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("ｓｈｏｐ。example。com", "shop.example.com"),
        ("SHOP.EXAMPLE.COM.", "shop.example.com"),
    ],
)
def test_international_names_are_kept_in_punycode(given, kept):
    assert domains.domain_name(given) == kept


def test_name_servers_are_read_as_addresses_with_a_port(settings):
    given = ["192.0.2.1", "192.0.2.1:5353", "2001:db8::1", "[2001:db8::1]:5353"]
    found = [domains._name_server(each) for each in given]

    assert [(each.address, each.port) for each in found] == [
        ("192.0.2.1", 53),
        ("192.0.2.1", 5353),
        ("2001:db8::1", 53),
        ("2001:db8::1", 5353),
    ]
    settings.PLAZA_DNS_SERVERS = ["dns.example.com"]
    with pytest.raises(ImproperlyConfigured, match="PLAZA_DNS_SERVERS"):
        domains.txt_values("_plaza.example.com")
