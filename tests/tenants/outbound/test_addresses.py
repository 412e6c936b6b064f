"""Addresses that tenants give: 150 forms that lead inside, or that two readers would read differently."""

import ipaddress

import pytest

from config.errors import ValidationFailed
from tenants.outbound.addresses import (
    AddressRefused,
    NameServersSilent,
    check_url,
    is_allowed,
    read_url,
    resolve,
)
from tests.tenants.name_server import NameServer
from tests.tenants.outbound.forms import FORMS


def test_there_are_150_forms_and_no_form_twice():
    assert len(FORMS) == len(set(FORMS)) >= 150


@pytest.mark.parametrize("form", FORMS)
def test_an_address_that_leads_inside_or_can_be_read_two_ways_is_refused(form):
    with pytest.raises(AddressRefused):
        read_url(form)


@pytest.mark.parametrize(
    ("form", "read"),
    [
        ("https://example.com/", ("https", "example.com", 443, "/")),
        ("https://example.com", ("https", "example.com", 443, "/")),
        ("https://EXAMPLE.com/Hooks?a=b&c=%20", ("https", "example.com", 443, "/Hooks?a=b&c=%20")),
        ("http://hooks.example.co.uk:8080/x", ("http", "hooks.example.co.uk", 8080, "/x")),
        ("https://8.8.8.8/", ("https", "8.8.8.8", 443, "/")),
        ("https://[2606:4700:4700::1111]/", ("https", "2606:4700:4700::1111", 443, "/")),
        ("https://bücher.example/", ("https", "xn--bcher-kva.example", 443, "/")),
        ("https://xn--bcher-kva.example/", ("https", "xn--bcher-kva.example", 443, "/")),
    ],
)
def test_a_public_address_is_read_as_it_stands(form, read):
    found = read_url(form)
    assert (found.scheme, found.host, found.port, found.target) == read
    assert check_url(form) == form


def test_in_production_only_https_is_taken(settings):
    settings.IS_PRODUCTION = True
    with pytest.raises(ValidationFailed) as refused:
        check_url("http://example.com/")
    assert refused.value.facts == {"errors": {"url": ["The address must begin with https://."]}}
    assert check_url("https://example.com/") == "https://example.com/"


@pytest.mark.parametrize(
    "form", ["http://127.0.0.1:9000/", "http://localhost:9000/x", "http://[::1]:9000/"]
)
def test_only_the_setting_opens_this_machine_and_nothing_else_inside(settings, form):
    settings.PLAZA_WEBHOOKS_TO_LOOPBACK = True
    assert resolve(read_url(form)).is_loopback
    for other in ("http://10.0.0.1/", "http://169.254.169.254/", "http://0.0.0.0/", "http://[::]/"):
        with pytest.raises(AddressRefused):
            read_url(other)


@pytest.fixture
def name_server(settings):
    with NameServer() as running:
        settings.PLAZA_DNS_SERVERS = [running.address]
        yield running


def test_a_name_is_resolved_by_us_and_its_public_address_is_the_answer(name_server):
    name_server.addresses["hooks.example.com"] = ["93.184.215.14", "2606:4700:4700::1111"]
    assert resolve(read_url("https://hooks.example.com/")) == ipaddress.ip_address("93.184.215.14")


@pytest.mark.parametrize(
    "inside", ["127.0.0.1", "10.0.0.7", "169.254.169.254", "::1", "fd00::1", "::ffff:10.0.0.1"]
)
def test_one_address_inside_among_public_ones_refuses_the_name(name_server, inside):
    name_server.addresses["hooks.example.com"] = ["93.184.215.14", inside]
    with pytest.raises(AddressRefused, match="not_public"):
        resolve(read_url("https://hooks.example.com/"))


def test_an_alias_that_leads_inside_is_refused(name_server):
    name_server.aliases["hooks.example.com"] = "db.example.net"
    name_server.addresses["db.example.net"] = ["10.0.0.7"]
    with pytest.raises(AddressRefused, match="not_public"):
        resolve(read_url("https://hooks.example.com/"))


def test_a_name_without_an_address_is_refused_and_a_silent_name_server_is_another_matter(
    name_server, monkeypatch
):
    with pytest.raises(AddressRefused, match="no_address"):
        resolve(read_url("https://nobody.example.com/"))
    monkeypatch.setattr("tenants.outbound.addresses._RESOLVE_SECONDS", 0.2)
    name_server.rcode = None
    with pytest.raises(NameServersSilent):
        resolve(read_url("https://hooks.example.com/"))


def test_what_python_calls_global_and_we_do_not_is_known():
    """The allow-list is ours: of these Python says that they are public, and yet they lead elsewhere."""
    for text in ("64:ff9b::a9fe:a9fe", "168.63.129.16", "192.88.99.1"):
        address = ipaddress.ip_address(text)
        assert (address.is_global, is_allowed(address)) == (True, False)
