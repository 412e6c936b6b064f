"""Secrets and signatures as Standard Webhooks has them: HMAC-SHA256 over `id.timestamp.body`."""

import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode, urlsafe_b64encode
from datetime import datetime

from cryptography.fernet import Fernet
from django.conf import settings

from tenants.models import WebhookEndpoint
from tenants.vault.sealing import open_of

_PREFIX = "whsec_"
_SECRET_BYTES = 32


def new_secret() -> str:
    """A new secret as it is shown, once: `whsec_` and 32 bytes in base64."""
    return _PREFIX + b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def secrets_of(endpoint: WebhookEndpoint, *, now: datetime) -> list[str]:
    """The secrets that sign now: the present one, and for a day after a rotation the former one."""
    found = ["sealed_secret"]
    until = endpoint.former_secret_until
    if endpoint.sealed_former_secret is not None and until is not None and now < until:
        found.append("sealed_former_secret")
    return [open_of(endpoint, column) for column in found]


def signature(secret: str, *, message_id: str, timestamp: int, body: bytes) -> str:
    """`v1,<base64>` of one message under one secret."""
    key = b64decode(secret.removeprefix(_PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return f"v1,{b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()}"


def headers_of(
    endpoint: WebhookEndpoint, *, message_id: str, body: bytes, now: datetime
) -> dict[str, str]:
    """The three headers of one attempt at `now`; a signature for each secret, separated by spaces."""
    timestamp = int(now.timestamp())
    signatures = [
        signature(secret, message_id=message_id, timestamp=timestamp, body=body)
        for secret in secrets_of(endpoint, now=now)
    ]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }


def opened_before_the_vault(sealed: bytes) -> str:
    """A secret sealed by an older release; rotation seals it anew (tenants/vault/rotation.py)."""
    key = hashlib.sha256(b"plaza.webhook-secrets\n" + settings.SECRET_KEY.encode()).digest()
    return Fernet(urlsafe_b64encode(key)).decrypt(sealed).decode()
