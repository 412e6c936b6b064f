"""Keys and passwords of one home: made once, kept in a file that only its owner reads."""

import base64
import json
import secrets as random
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from config.local.files import read_json, write_whole
from config.local.home import Home
from config.local.trouble import Trouble

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that look alike


def _signing_key() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _webhook_secret() -> str:
    return "whsec_" + base64.urlsafe_b64encode(random.token_bytes(24)).decode()


def _demo_password() -> str:
    return "-".join("".join(random.choice(_LETTERS) for _ in range(5)) for _ in range(3))


def _password() -> str:
    return random.token_hex(24)  # nothing that an address would have to quote


def _master_key() -> str:
    return base64.b64encode(random.token_bytes(32)).decode()


_MAKERS: dict[str, Callable[[], str]] = {
    "SECRET_KEY": lambda: random.token_urlsafe(50),
    "TOKEN_SIGNING_KEY": _signing_key,
    "PLAZA_MASTER_KEY": _master_key,
    "STRIPE_WEBHOOK_SECRET": _webhook_secret,
    "PAYPAL_WEBHOOK_ID": lambda: "WH" + random.token_hex(8).upper(),
    "PLAZA_DEMO_PASSWORD": _demo_password,
    "postgres_superuser_password": _password,
    "postgres_owner_password": _password,
    "postgres_web_password": _password,
    "postgres_square_password": _password,
    "redis_password": _password,
}


def secrets_of(home: Home) -> dict[str, str]:
    """All secrets of this home by name. What is missing is made; what is there stays."""
    kept = {str(name): str(value) for name, value in read_json(home.secrets).items()}
    if not kept and home.secrets.exists():
        raise Trouble(
            f"{home.secrets} is damaged.", todo="Restore it, or forget all data with `make reset`."
        )
    missing = {name: make() for name, make in _MAKERS.items() if name not in kept}
    if missing:
        kept |= missing
        write_whole(home.secrets, json.dumps(kept, indent=1))
    return kept
