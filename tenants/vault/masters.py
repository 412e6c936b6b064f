"""What wraps data keys: master keys of the environment or a file, or a key management service."""

import hashlib
import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from secrets import token_bytes
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.utils.module_loading import import_string

_NONCE_BYTES = 12
Context = Mapping[str, str]


class MasterKeyMissing(RuntimeError):
    """A data key was wrapped by a master key that this process was not given."""


class WrappingBroken(RuntimeError):
    """What is stored as a wrapped data key is not what its master key made of it."""


class Master(Protocol):
    """A master key that never leaves its place. `context` must be the same for both, and is no secret.

    That is a KMS's API: `encrypt(KeyId, Plaintext, EncryptionContext)` and `decrypt`. Whoever writes an
    adapter names its class, which takes no arguments, in `PLAZA_KMS`.
    """

    @property
    def name(self) -> str:
        """The key's name, up to 200 characters: the same in every process, another one for another key."""
        ...

    def encrypt(self, plaintext: bytes, *, context: Context) -> bytes: ...

    def decrypt(self, ciphertext: bytes, *, context: Context) -> bytes:
        """Raises WrappingBroken."""
        ...


@dataclass(frozen=True, slots=True)
class GivenKey:
    """A master key of the environment or a file: 32 bytes, held in memory, used with AES-256-GCM."""

    key: bytes

    @property
    def name(self) -> str:
        return "given:" + hashlib.sha256(b"plaza.master-key\n" + self.key).hexdigest()[:24]

    def encrypt(self, plaintext: bytes, *, context: Context) -> bytes:
        nonce = token_bytes(_NONCE_BYTES)
        return nonce + AESGCM(self.key).encrypt(nonce, plaintext, _told(context))

    def decrypt(self, ciphertext: bytes, *, context: Context) -> bytes:
        nonce, sealed = ciphertext[:_NONCE_BYTES], ciphertext[_NONCE_BYTES:]
        try:
            return AESGCM(self.key).decrypt(nonce, sealed, _told(context))
        except (InvalidTag, ValueError) as error:
            raise WrappingBroken(f"{self.name} did not wrap this: {b64encode(nonce)!r}") from error

    def __repr__(self) -> str:
        return f"GivenKey({self.name})"


def _told(context: Context) -> bytes:
    return json.dumps(dict(context), sort_keys=True).encode()


@dataclass(frozen=True, slots=True)
class Ring:
    """The master keys of this process: `present` wraps, each of them unwraps."""

    present: Master
    former: tuple[Master, ...] = ()

    def named(self, name: str) -> Master:
        """Raises MasterKeyMissing."""
        for each in (self.present, *self.former):
            if each.name == name:
                return each
        raise MasterKeyMissing(
            f"A data key was wrapped by the master key {name}, which is not among those given"
            f" (PLAZA_MASTER_KEY): {', '.join(self.names())}."
        )

    def names(self) -> list[str]:
        return [each.name for each in (self.present, *self.former)]


def ring() -> Ring:
    """As the settings say. A service comes before keys that were given: it takes over from them."""
    return _ring(settings.PLAZA_KMS, settings.PLAZA_MASTER_KEYS)


@lru_cache(maxsize=8)
def _ring(service: str, keys: tuple[bytes, ...]) -> Ring:
    masters: list[Master] = [import_string(service)()] if service else []
    masters += map(GivenKey, keys)
    return Ring(masters[0], tuple(masters[1:]))
