"""Which code prepared the database: a hash over everything that `manage.py setup` applies."""

import hashlib
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
_PATTERNS = (
    *("*/migrations/*.py", "apps/*/migrations/*.py", "billing/catalogue/*.toml"),
    *("*/rights.py", "tenants/roles.py", "tenants/preparing.py", "tenants/granting.py"),
)


def release_fingerprint() -> str:
    """SHA-256 of the migrations and the catalogue, by path and content."""
    digest = hashlib.sha256()
    files = {file for pattern in _PATTERNS for file in _ROOT.glob(pattern)}
    for file in sorted([*files, _ROOT / "requirements.lock"]):
        digest.update(str(file.relative_to(_ROOT)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()
