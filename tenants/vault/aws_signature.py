"""Signature version 4 of AWS: HMAC-SHA256 over a canonical form of the request.

Source: docs.aws.amazon.com, "Create a signed AWS API request".
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Signer:
    """Whose requests are signed, and for which service of which region."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    region: str
    service: str

    def signed(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, *, now: datetime
    ) -> dict[str, str]:
        """`headers` with Host, X-Amz-Date and Authorization; `url` has its query in canonical order."""
        parts = urlsplit(url)
        moment = now.strftime("%Y%m%dT%H%M%SZ")
        all_headers = {**headers, "Host": parts.netloc, "X-Amz-Date": moment}
        named = {name.lower(): value.strip() for name, value in all_headers.items()}
        names = ";".join(sorted(named))
        request = "\n".join([
            method,
            parts.path or "/",
            parts.query,
            *(f"{name}:{named[name]}" for name in sorted(named)),
            "",
            names,
            hashlib.sha256(body).hexdigest(),
        ])  # fmt: skip
        scope = f"{moment[:8]}/{self.region}/{self.service}/aws4_request"
        digest = hashlib.sha256(request.encode()).hexdigest()
        told = "\n".join([_ALGORITHM, moment, scope, digest])
        signature = hmac.new(self._key(moment[:8]), told.encode(), hashlib.sha256).hexdigest()
        authorization = (
            f"{_ALGORITHM} Credential={self.access_key_id}/{scope},"
            f" SignedHeaders={names}, Signature={signature}"
        )
        return {**all_headers, "Authorization": authorization}

    def _key(self, day: str) -> bytes:
        key = f"AWS4{self.secret_access_key}".encode()
        for part in (day, self.region, self.service, "aws4_request"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        return key
