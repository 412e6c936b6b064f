"""The link by which a recipient says no: signed, without a sign-in, for this tenant's contact alone."""

import base64
import hashlib
import hmac
from datetime import datetime
from uuid import UUID

from django.conf import settings

from apps.crm.services import consents
from config.context import require_tenant
from config.errors import NotFound

_SALT = b"plaza.campaigns.unsubscribe"
_ID, _MAC = 16, 16


def token_of(*, campaign_id: UUID, contact_id: UUID) -> str:
    """64 characters for an address; of the tenant in force."""
    told = campaign_id.bytes + contact_id.bytes
    return base64.urlsafe_b64encode(told + _mac(told)).decode().rstrip("=")


def read(token: str) -> tuple[UUID, UUID]:
    """Campaign and contact. Raises NotFound for what this tenant did not sign."""
    try:
        told = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except ValueError as error:
        raise NotFound() from error
    ids, mac = told[: 2 * _ID], told[2 * _ID :]
    if len(told) != 2 * _ID + _MAC or not hmac.compare_digest(mac, _mac(ids)):
        raise NotFound()
    return UUID(bytes=ids[:_ID]), UUID(bytes=ids[_ID:])


def unsubscribe(*, token: str, now: datetime) -> None:
    """Withdraw the consent to marketing by e-mail; said twice it is kept once. Raises NotFound."""
    campaign_id, contact_id = read(token)
    consents.withdraw(
        contact_id=contact_id,
        channel="email",
        purpose="marketing",
        source="unsubscribe link",
        proof=f"campaign {campaign_id}",
        now=now,
    )


def _mac(told: bytes) -> bytes:
    key = hashlib.sha256(_SALT + settings.SECRET_KEY.encode()).digest()
    message = require_tenant().id.bytes + told
    return hmac.digest(key, message, "sha256")[:_MAC]
