"""The keys of access tokens: one signs; it and the others of the ring are accepted, and published.

A key is changed without a refused token by two restarts (README, "Signing keys"): the next key is first
accepted everywhere, then signs while the former one is accepted until its last token has ended.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

ALGORITHM = "ES256"
_BEGIN = "-----BEGIN "


@dataclass(frozen=True, slots=True)
class _Ring:
    """`accepted` maps a key's id (its RFC 7638 thumbprint) to it; the signing key is the first."""

    signing: ECKey
    accepted: dict[str, ECKey]


def signing_key() -> ECKey:
    """The key of TOKEN_SIGNING_KEY. Raises ImproperlyConfigured, also for a bad TOKEN_OTHER_KEYS."""
    return _present().signing


def accepted_key(name: object) -> ECKey | None:
    """The key with this id, if a token may be signed by it."""
    return _present().accepted.get(name) if isinstance(name, str) else None


def accepted_names() -> list[str]:
    """The ids of all accepted keys; the first signs."""
    return list(_present().accepted)


def key_set() -> dict[str, list[dict[str, Any]]]:
    """The public halves as a JWK Set (RFC 7517)."""
    return {
        "keys": [
            {**key.as_dict(private=False), "kid": name, "use": "sig", "alg": ALGORITHM}
            for name, key in _present().accepted.items()
        ]
    }


def new_key() -> tuple[str, str]:
    r"""The id and the private PEM, as one line with `\n` for line ends, of a key that nobody has yet."""
    made = ec.generate_private_key(ec.SECP256R1())
    pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return ECKey.import_key(pem).thumbprint(), pem.strip().replace("\n", "\\n")


def _present() -> _Ring:
    return _ring(settings.TOKEN_SIGNING_KEY, settings.TOKEN_OTHER_KEYS)


@lru_cache(maxsize=4)
def _ring(signing_pem: str, other_pems: str) -> _Ring:
    signing = _key(signing_pem, "TOKEN_SIGNING_KEY")
    if not signing.is_private:
        raise ImproperlyConfigured("TOKEN_SIGNING_KEY must be a private key on the curve P-256.")
    before, *others = other_pems.split(_BEGIN)
    if before.strip():
        raise ImproperlyConfigured("TOKEN_OTHER_KEYS is not a row of keys in PEM.")
    keys = [signing, *(_key(_BEGIN + pem, "TOKEN_OTHER_KEYS") for pem in others)]
    return _Ring(signing, {key.thumbprint(): key for key in keys})


def _key(pem: str, variable: str) -> ECKey:
    try:
        key = ECKey.import_key(pem)
    except (JoseError, ValueError) as error:
        raise ImproperlyConfigured(f"{variable} is not a private key in PEM.") from error
    if key.curve_name != "P-256":
        raise ImproperlyConfigured(f"{variable} must be a private key on the curve P-256.")
    return key
