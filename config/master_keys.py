"""Master keys as the environment writes them: 32 bytes in base64, the present one first, former ones after it."""

from base64 import b64decode
from binascii import Error
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

_BYTES = 32


def read_master_keys(*, text: str, file: str) -> tuple[bytes, ...]:
    """The keys that `text` holds, or the file at `file`, separated by commas or line ends; none where both are empty.

    Raises ImproperlyConfigured, which names the variable and shows no key.
    """
    name, found = "PLAZA_MASTER_KEY", text
    if not text and file:
        name = "PLAZA_MASTER_KEY_FILE"
        try:
            found = Path(file).read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise ImproperlyConfigured(f"{name} cannot be read: {file}.") from error
        if not found.strip():
            raise ImproperlyConfigured(f"{name} is empty: {file}.")
    return tuple(_key(name, part) for part in found.replace(",", "\n").split())


def _key(name: str, text: str) -> bytes:
    try:
        key = b64decode(text, altchars=b"-_", validate=True)
    except (Error, ValueError):
        key = b""
    if len(key) != _BYTES:
        raise ImproperlyConfigured(
            f"{name} must hold keys of {_BYTES} bytes in base64 (openssl rand -base64 {_BYTES})."
        )
    return key
