"""Who sent a PayPal webhook: its certificate, its chain and its signature, checked by ourselves.

The SDK's `WebhookEvent.verify` cannot succeed with today's pyOpenSSL, and fetches whatever address
it is given. Source: developer.paypal.com/api/rest/webhooks/rest ("Verify a message").
"""

import base64
import binascii
import contextlib
import re
import warnings
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, lru_cache
from pathlib import Path
from urllib.parse import urlsplit

import requests
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from billing.providers.base import SignatureInvalid, is_loopback

CERTIFICATE_HOSTS = frozenset({"api.paypal.com", "api.sandbox.paypal.com"})
SIGNER_NAMES = (
    "messageverificationcerts.paypal.com",
    "messageverificationcerts.sandbox.paypal.com",
)
ALGORITHM = "SHA256withRSA"
# PayPal tries a webhook for three days; the inbox refuses each event's second copy.
LONGEST_AGE = timedelta(days=3)
CLOCK_SKEW = timedelta(minutes=5)
TIMEOUT_SECONDS = 5
LARGEST_CERTIFICATE_BYTES = 64 * 1024
_LONGEST_HEADER = 1_000
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_HEADERS = {
    "id": "Paypal-Transmission-Id",
    "time": "Paypal-Transmission-Time",
    "signature": "Paypal-Transmission-Sig",
    "certificate_url": "Paypal-Cert-Url",
    "algorithm": "Paypal-Auth-Algo",
}


class CertificateUnproven(Exception):
    """The certificate could not be fetched, or leads to no root that we know: PayPal must say."""


@dataclass(frozen=True, slots=True)
class Transmission:
    """What PayPal sends about an event, beside the event."""

    id: str
    time: str
    signature: str
    certificate_url: str
    algorithm: str

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> "Transmission":
        """Raises SignatureInvalid when one is missing or overlong."""
        found = {field: headers.get(name, "") for field, name in _HEADERS.items()}
        if not all(0 < len(value) <= _LONGEST_HEADER for value in found.values()):
            raise SignatureInvalid()
        return cls(**found)

    def signed_text(self, *, webhook_id: str, body: bytes) -> bytes:
        """`id|time|webhook id|CRC-32 of the raw body`."""
        return f"{self.id}|{self.time}|{webhook_id}|{zlib.crc32(body)}".encode()

    def as_question(self) -> dict[str, str]:
        """The fields of the provider's own verification call."""
        return {
            "transmission_id": self.id,
            "transmission_time": self.time,
            "transmission_sig": self.signature,
            "cert_url": self.certificate_url,
            "auth_algo": self.algorithm,
        }


def check(
    transmission: Transmission, *, body: bytes, webhook_id: str, api_base: str, now: datetime
) -> None:
    """Raises SignatureInvalid, or CertificateUnproven when only PayPal itself can tell."""
    if transmission.algorithm != ALGORITHM or not webhook_id:
        raise SignatureInvalid()
    _check_age(transmission.time, now)
    if not certificate_address_is_allowed(transmission.certificate_url, api_base=api_base):
        raise SignatureInvalid()
    chain = _fetched(transmission.certificate_url)
    check_chain(chain, roots=_roots(api_base), now=now)
    _check_signature(
        chain[0], transmission.signature, transmission.signed_text(webhook_id=webhook_id, body=body)
    )


def _check_age(time: str, now: datetime) -> None:
    try:
        sent_at = datetime.fromisoformat(time)
    except ValueError:
        raise SignatureInvalid() from None
    if sent_at.tzinfo is None or not -CLOCK_SKEW <= now - sent_at <= LONGEST_AGE:
        raise SignatureInvalid()


def certificate_address_is_allowed(address: str, *, api_base: str) -> bool:
    """PayPal's own hosts over https; for a stand-in on this machine, that very server."""
    if any(character.isspace() or not character.isprintable() for character in address):
        return False
    try:
        found = urlsplit(address)
    except ValueError:
        return False
    if is_loopback(api_base):
        server = urlsplit(api_base)
        return (found.scheme, found.netloc) == (server.scheme, server.netloc)
    # Compared whole, so that neither a user name nor a port nor a backslash gets in.
    return found.scheme == "https" and found.netloc in CERTIFICATE_HOSTS


@lru_cache(maxsize=8)
def _fetched(address: str) -> tuple[x509.Certificate, ...]:
    """The certificates at an allowed address, the signer's first. Failures are not remembered."""
    try:
        with requests.Session() as session:
            session.trust_env = not is_loopback(address)
            with session.get(
                address, timeout=TIMEOUT_SECONDS, allow_redirects=False, stream=True
            ) as answer:
                if answer.status_code != 200:
                    raise CertificateUnproven(
                        f"the certificate's address answered {answer.status_code}"
                    )
                pem = answer.raw.read(LARGEST_CERTIFICATE_BYTES + 1, decode_content=True)
        if len(pem) > LARGEST_CERTIFICATE_BYTES:
            raise CertificateUnproven("the certificate is too large")
        return tuple(x509.load_pem_x509_certificates(pem))
    except (requests.RequestException, ValueError) as error:
        raise CertificateUnproven(f"no certificate: {type(error).__name__}") from error


def _roots(api_base: str) -> tuple[x509.Certificate, ...]:
    """The world's roots; a stand-in on this machine has one of its own."""
    if is_loopback(api_base):
        return _fetched(f"{api_base.rstrip('/')}/ca.pem")
    return _public_roots()


@cache
def _public_roots() -> tuple[x509.Certificate, ...]:
    """The bundle's roots, without those that break the rules of today (PayPal's does not)."""
    roots: list[x509.Certificate] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        for pem in _PEM.findall(Path(DEFAULT_CA_BUNDLE_PATH).read_bytes()):
            with contextlib.suppress(ValueError):
                roots.append(x509.load_pem_x509_certificate(pem))
    return tuple(roots)


def check_chain(
    chain: Sequence[x509.Certificate], *, roots: Sequence[x509.Certificate], now: datetime
) -> None:
    """The first certificate is valid now, is PayPal's by name, and leads to one of `roots`."""
    for name in SIGNER_NAMES:
        verifier = (
            PolicyBuilder()
            .store(Store(list(roots)))
            .time(now)
            .build_server_verifier(x509.DNSName(name))
        )
        try:
            verifier.verify(chain[0], list(chain[1:]))
        except VerificationError:
            continue
        return
    raise CertificateUnproven("the certificate is not proven")


def _check_signature(certificate: x509.Certificate, signature: str, text: bytes) -> None:
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise SignatureInvalid()
    try:
        key.verify(base64.b64decode(signature, validate=True), text, padding.PKCS1v15(), SHA256())
    except (InvalidSignature, binascii.Error):
        raise SignatureInvalid() from None
