"""A certificate authority of the stand-in's own, and the certificate that signs its webhooks."""

import base64
import zlib
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.standins.store import Store

SIGNER = "messageverificationcerts.paypal.com"
ALGORITHM = "SHA256withRSA"
_VALID = timedelta(days=365)

AnyKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
AnyPublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Plaza stand-in for PayPal"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _builder(
    subject: str, issuer: str, key: AnyPublicKey, *, is_ca: bool
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _VALID)
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=0 if is_ca else None), True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), False)
        .add_extension(_usage(is_ca=is_ca), True)
    )


def _usage(*, is_ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_ca,
        key_cert_sign=is_ca,
        crl_sign=is_ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: AnyKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def _cert_pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


@cache
def _first_key() -> rsa.RSAPrivateKey:
    """One for each process: a tenth of a second, which a hundred tests need not spend each."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def _loaded(pem: str) -> rsa.RSAPrivateKey:
    # Our own key of a moment ago: checking its primes again would cost more than signing.
    key = serialization.load_pem_private_key(
        pem.encode(), None, unsafe_skip_rsa_key_validation=True
    )
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


class Certificates:
    """Made when first needed, then kept with the stand-in's memory."""

    AUTHORITY = "Plaza stand-in CA"

    def __init__(self, store: Store) -> None:
        self._store = store

    def _authority(self) -> dict[str, str]:
        """{key, certificate} in PEM. An elliptic key: quickly made, and never seen by signers."""
        kept = self._store.get("certificate", "authority")
        if kept is None:
            key = ec.generate_private_key(ec.SECP256R1())
            builder = _builder(self.AUTHORITY, self.AUTHORITY, key.public_key(), is_ca=True)
            certificate = builder.sign(key, hashes.SHA256())
            kept = {"key": _pem(key), "certificate": _cert_pem(certificate)}
            self._store.put("certificate", "authority", kept)
        return kept

    def _signer(self, *, anew: bool = False) -> dict[str, str]:
        """{id, key, certificate} in PEM of the certificate that signs at present."""
        with self._store.transaction():
            kept = None if anew else self._store.get("certificate", "signer")
            if kept is None:
                key = rsa.generate_private_key(65537, 2048) if anew else _first_key()
                certificate = self._issued(key)
                ident = f"CERT-{certificate.serial_number:040x}"[:45]
                kept = {"id": ident, "key": _pem(key), "certificate": _cert_pem(certificate)}
                self._store.put("certificate", "signer", kept)
                self._store.put("certificate_by_id", ident, kept)
            return kept

    def _issued(self, key: rsa.RSAPrivateKey) -> x509.Certificate:
        authority = serialization.load_pem_private_key(self._authority()["key"].encode(), None)
        assert isinstance(authority, ec.EllipticCurvePrivateKey)
        issuer_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key())
        builder = (
            _builder(SIGNER, self.AUTHORITY, key.public_key(), is_ca=False)
            .add_extension(issuer_id, critical=False)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(SIGNER)]), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        )
        return builder.sign(authority, hashes.SHA256())

    @property
    def authority(self) -> str:
        """The root that a receiver has to trust, in PEM."""
        with self._store.transaction():
            return self._authority()["certificate"]

    def rotate(self) -> None:
        """Sign with a new certificate from now on; the old ones stay readable."""
        self._signer(anew=True)

    def readable(self, ident: str) -> str | None:
        """The certificate at an address that a webhook named."""
        kept = self._store.get("certificate_by_id", ident)
        return None if kept is None else str(kept["certificate"])

    def sign(self, message: str) -> tuple[str, str]:
        """The id of the certificate and the signature in base64."""
        kept = self._signer()
        raw = _loaded(kept["key"]).sign(message.encode(), padding.PKCS1v15(), hashes.SHA256())
        return kept["id"], base64.b64encode(raw).decode()

    def is_signed(self, ident: str, message: str, signature: str) -> bool:
        pem = self.readable(ident)
        if pem is None:
            return False
        key = x509.load_pem_x509_certificate(pem.encode()).public_key()
        assert isinstance(key, rsa.RSAPublicKey)
        try:
            raw = base64.b64decode(signature, validate=True)
            key.verify(raw, message.encode(), padding.PKCS1v15(), hashes.SHA256())
        except (InvalidSignature, ValueError):
            return False
        return True


def message(*, transmission_id: str, at: str, webhook_id: str, body: bytes) -> str:
    """What is signed: developer.paypal.com/api/rest/webhooks/rest, "message signature"."""
    return f"{transmission_id}|{at}|{webhook_id}|{zlib.crc32(body)}"
