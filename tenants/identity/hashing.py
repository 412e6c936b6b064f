"""Random secrets are kept as SHA-256: they need no slow hash, and a dump of the table opens nothing."""

import hashlib
import secrets

SECRET_BYTES = 32


def new_secret() -> str:
    """43 characters of the URL-safe alphabet: 256 random bits."""
    return secrets.token_urlsafe(SECRET_BYTES)


def digest(secret: str) -> str:
    """The 64 hexadecimal characters under which `secret` is kept."""
    return hashlib.sha256(secret.encode()).hexdigest()
