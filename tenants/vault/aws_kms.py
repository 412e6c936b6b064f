"""A master key in AWS KMS, or whatever speaks its API: `PLAZA_KMS=tenants.vault.aws_kms.AwsKms`.

Encrypt and Decrypt over JSON 1.1; the context of a data key is KMS's encryption context, so KMS refuses
a wrapped key that is told as another's, and logs whose it unwraps. Once a process has a data key, it asks
no more for ten minutes.
"""

import json
from base64 import b64decode, b64encode
from binascii import Error
from datetime import UTC, datetime
from typing import Any

import requests
from django.conf import settings

from config.errors import ServiceUnavailable
from config.logs import logger
from tenants.vault.aws_signature import Signer
from tenants.vault.masters import Context, WrappingBroken

log = logger(__name__)
_SECONDS = 3
# KMS's words for: this ciphertext is not of this key and context.
_BROKEN = {"InvalidCiphertextException", "IncorrectKeyException"}


class KeyServiceAway(ServiceUnavailable):
    """The key management service does not answer, or not to us: nothing can be sealed or opened for the first time."""

    code = "key_service_away"


class AwsKms:
    """One key of KMS, by `PLAZA_KMS_KEY` (an id or an ARN; an alias may come to mean another key)."""

    def __init__(self) -> None:
        self._url = (
            settings.PLAZA_KMS_URL or f"https://kms.{settings.PLAZA_KMS_REGION}.amazonaws.com/"
        )
        self._signer = Signer(
            settings.PLAZA_KMS_ACCESS_KEY_ID,
            settings.PLAZA_KMS_SECRET_ACCESS_KEY,
            settings.PLAZA_KMS_REGION,
            "kms",
        )

    @property
    def name(self) -> str:
        return f"aws-kms:{settings.PLAZA_KMS_KEY}"

    def encrypt(self, plaintext: bytes, *, context: Context) -> bytes:
        """Raises KeyServiceAway."""
        return self._asked("Encrypt", {"Plaintext": _text(plaintext)}, context, "CiphertextBlob")

    def decrypt(self, ciphertext: bytes, *, context: Context) -> bytes:
        """Raises WrappingBroken, KeyServiceAway."""
        return self._asked("Decrypt", {"CiphertextBlob": _text(ciphertext)}, context, "Plaintext")

    def _asked(self, act: str, body: dict[str, Any], context: Context, wanted: str) -> bytes:
        told = {"KeyId": settings.PLAZA_KMS_KEY, "EncryptionContext": dict(context), **body}
        data = json.dumps(told).encode()
        headers = {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"TrentService.{act}",
        }
        moment = datetime.now(UTC)  # noqa: TID251 - the service refuses a signature of another time
        signed = self._signer.signed("POST", self._url, headers, data, now=moment)
        try:
            answer = requests.post(
                self._url, data=data, headers=signed, timeout=_SECONDS, allow_redirects=False
            )
            said = answer.json()
            if answer.status_code == requests.codes.ok:
                return b64decode(said[wanted], validate=True)
            kind = str(said.get("__type", "")).rpartition("#")[2]
        except (requests.RequestException, ValueError, KeyError, AttributeError, Error) as error:
            log.error("key_service.failed", extra={"act": act, "reason": type(error).__name__})  # noqa: TRY400
            raise KeyServiceAway() from error
        if kind in _BROKEN:
            raise WrappingBroken(f"{self.name} did not wrap this.")
        log.error("key_service.refused", extra={"act": act, "reason": kind})
        raise KeyServiceAway()


def _text(data: bytes) -> str:
    return b64encode(data).decode()
