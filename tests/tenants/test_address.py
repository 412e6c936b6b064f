import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import RequestFactory

from tenants.address import address_of, block_of


def asked_from(remote: str, forwarded: str | None = None) -> str:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return address_of(RequestFactory().get("/", headers=headers, REMOTE_ADDR=remote))


@pytest.mark.parametrize("forged", ["10.9.9.9", "203.0.113.9, 10.0.0.1", "::1", "x", ""])
def test_without_a_trusted_proxy_the_connection_alone_is_believed(settings, forged):
    settings.PLAZA_TRUSTED_PROXIES = []
    assert asked_from("203.0.113.7", forged) == "203.0.113.7"


@pytest.mark.parametrize("forged", ["10.9.9.9", "198.51.100.1, 10.0.0.1", "10.0.0.1"])
def test_a_client_that_is_no_proxy_forges_nothing(settings, forged):
    settings.PLAZA_TRUSTED_PROXIES = ["10.0.0.1"]
    assert asked_from("203.0.113.7", forged) == "203.0.113.7"


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("198.51.100.1, 203.0.113.7", "203.0.113.7"),
        ("198.51.100.1,203.0.113.7,10.0.0.2", "203.0.113.7"),
        ("10.0.0.3, 203.0.113.7, 10.0.0.2, 10.0.0.1", "203.0.113.7"),
        ("203.0.113.7:4711", "203.0.113.7"),
        ("[2001:db8::7]:4711", "2001:db8::7"),
        ("2001:DB8:0::7", "2001:db8::7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("203.0.113.7, nonsense", "10.0.0.1"),
        ("203.0.113.7, ", "10.0.0.1"),
        ("203.0.113.7, 999.1.1.1, 10.0.0.2", "10.0.0.2"),
        ("", "10.0.0.1"),
        (None, "10.0.0.1"),
    ],
)
def test_behind_trusted_proxies_the_rightmost_other_address_is_the_client(
    settings, forwarded, client
):
    settings.PLAZA_TRUSTED_PROXIES = ["10.0.0.0/8"]
    assert asked_from("10.0.0.1", forwarded) == client


def test_a_proxy_over_ipv6_is_recognised(settings):
    settings.PLAZA_TRUSTED_PROXIES = ["::1", "2001:db8:1::/48"]
    assert asked_from("::1", "203.0.113.7, 2001:db8:1::5") == "203.0.113.7"


def test_on_a_unix_socket_the_proxy_is_believed_when_there_is_one(settings):
    settings.PLAZA_TRUSTED_PROXIES = ["10.0.0.1"]
    assert asked_from("", "203.0.113.7, 10.0.0.1") == "203.0.113.7"
    settings.PLAZA_TRUSTED_PROXIES = []
    assert asked_from("", "203.0.113.7") == "unknown"


def test_a_port_in_the_connections_address_is_no_part_of_it(settings):
    settings.PLAZA_TRUSTED_PROXIES = []
    assert asked_from("203.0.113.7:50123") == "203.0.113.7"


def test_a_proxy_that_is_no_address_stops_by_name(settings):
    settings.PLAZA_TRUSTED_PROXIES = ["proxy.internal"]
    with pytest.raises(ImproperlyConfigured, match="PLAZA_TRUSTED_PROXIES"):
        asked_from("203.0.113.7")


@pytest.mark.parametrize(
    ("address", "block"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8::7", "2001:db8::/64"),
        ("2001:db8::ffff:1:2:3", "2001:db8::/64"),
        ("unknown", "unknown"),
    ],
)
def test_one_customers_ipv6_addresses_count_together(address, block):
    assert block_of(address) == block
