"""Which certificate addresses, chains and downloads PayPal's webhooks may bring along."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from billing.providers.base import SignatureInvalid
from billing.providers.paypal_signatures import (
    LARGEST_CERTIFICATE_BYTES,
    LONGEST_AGE,
    CertificateUnproven,
    Transmission,
    _check_age,
    _fetched,
    _public_roots,
    certificate_address_is_allowed,
    check_chain,
)

SIGNER = "messageverificationcerts.paypal.com"
LIVE = "https://api-m.paypal.com"
NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "address",
    [
        "https://api.paypal.com/v1/notifications/certs/CERT-1",
        "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-1",
    ],
)
def test_paypals_own_hosts_are_allowed(address):
    assert certificate_address_is_allowed(address, api_base=LIVE)


@pytest.mark.parametrize(
    "address",
    [
        "http://api.paypal.com/cert",
        "https://evil.test/cert",
        "https://api.paypal.com.evil.test/cert",
        "https://evil.test/api.paypal.com",
        "https://api.paypal.com@evil.test/cert",
        "https://user@api.paypal.com/cert",
        "https://api.paypal.com:8443/cert",
        "https://api.paypal.com\\@evil.test/cert",
        "https://evil.test\\.api.paypal.com/cert",
        "https://api.paypal.com\t.evil.test/cert",
        "https://API.paypal.com./cert",
        "https://paypal.com/cert",
        "https://169.254.169.254/latest",
        "http://127.0.0.1:1/cert",
        "//api.paypal.com/cert",
        "file:///etc/passwd",
        "https://[::1/cert",
        "",
    ],
)
def test_no_other_address_is_ever_fetched(address):
    assert not certificate_address_is_allowed(address, api_base=LIVE)


def test_a_stand_in_serves_its_own_certificates_and_nobody_elses():
    base = "http://127.0.0.1:4010"

    assert certificate_address_is_allowed(f"{base}/v1/notifications/certs/C", api_base=base)
    for address in (
        "http://127.0.0.1:4011/c",
        "http://localhost:4010/c",
        "https://api.paypal.com/c",
    ):
        assert not certificate_address_is_allowed(address, api_base=base)


@pytest.mark.parametrize(
    "time",
    ["", "yesterday", "2026-06-01T00:00:00", "2026-05-28T23:59:59Z", "2026-06-01T00:05:01Z"],
)
def test_a_time_that_is_none_or_too_old_or_to_come_is_refused(time):
    with pytest.raises(SignatureInvalid):
        _check_age(time, NOW)


def test_paypals_three_days_of_retries_are_accepted():
    _check_age((NOW - LONGEST_AGE).isoformat(), NOW)
    _check_age((NOW + timedelta(minutes=5)).isoformat(), NOW)


def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


CA_KEY, LEAF_KEY = key(), key()


def certificate(
    *,
    name: str,
    issuer: str = "Test CA",
    is_ca: bool = False,
    signed_by: rsa.RSAPrivateKey = CA_KEY,
    until: datetime = NOW + timedelta(days=30),
) -> x509.Certificate:
    own = CA_KEY if is_ca else LEAF_KEY
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=60))
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(own.public_key()), critical=False)
        .add_extension(
            x509.KeyUsage(not is_ca, False, False, False, False, is_ca, is_ca, False, False),
            critical=True,
        )
    )
    if not is_ca:
        issuer_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(CA_KEY.public_key())
        made = (
            made.add_extension(issuer_id, critical=False)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        )
    return made.sign(signed_by, hashes.SHA256())


ROOT = certificate(name="Test CA", is_ca=True)


def test_a_certificate_of_paypals_name_under_a_known_root_is_proven():
    check_chain([certificate(name=SIGNER)], roots=[ROOT], now=NOW)
    sandbox = certificate(name="messageverificationcerts.sandbox.paypal.com")
    check_chain([sandbox], roots=[ROOT], now=NOW)


@pytest.mark.parametrize(
    "wrong",
    [
        certificate(name="evil.test"),
        certificate(name="messageverificationcerts.paypal.com.evil.test"),
        certificate(name=SIGNER, until=NOW - timedelta(days=1)),
        certificate(name=SIGNER, signed_by=LEAF_KEY),
        ROOT,
    ],
    ids=["other name", "longer name", "expired", "self-signed", "the root itself"],
)
def test_a_certificate_of_another_name_time_or_signer_is_not_proven(wrong):
    with pytest.raises(CertificateUnproven):
        check_chain([wrong], roots=[ROOT], now=NOW)


def test_a_good_certificate_under_an_unknown_root_is_not_proven():
    assert len(_public_roots()) > 50
    with pytest.raises(CertificateUnproven):
        check_chain([certificate(name=SIGNER)], roots=_public_roots(), now=NOW)


@pytest.fixture
def place() -> Iterator[str]:
    """A server whose answers no certificate is."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(302 if self.path == "/elsewhere" else 200)
            self.send_header("Location", "/huge")
            self.end_headers()
            size = LARGEST_CERTIFICATE_BYTES + 1 if self.path == "/huge" else 10
            self.wfile.write(b"x" * size)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("path", "why"),
    [("/elsewhere", "answered 302"), ("/huge", "too large"), ("/small", "no certificate")],
)
def test_a_redirect_an_endless_answer_and_rubbish_prove_nothing(place, path, why):
    with pytest.raises(CertificateUnproven, match=why):
        _fetched(f"{place}{path}")


def test_a_place_that_is_away_proves_nothing():
    with pytest.raises(CertificateUnproven, match="ConnectionError"):
        _fetched("http://127.0.0.1:1/cert")


def test_headers_must_be_there_and_of_sensible_length():
    headers = {
        "Paypal-Transmission-Id": "1", "Paypal-Transmission-Time": "2", "Paypal-Cert-Url": "3",
        "Paypal-Transmission-Sig": "4", "Paypal-Auth-Algo": "5",
    }  # fmt: skip
    assert Transmission.of(headers).certificate_url == "3"
    for name in headers:
        for wrong in ("", "x" * 1_001):
            with pytest.raises(SignatureInvalid):
                Transmission.of(headers | {name: wrong})
