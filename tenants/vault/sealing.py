"""Seal and open one value: bound to its tenant, table, column and row, so that it opens nowhere else.

A sealed value is the byte 1, the data key's id (16), a nonce (12), and the ciphertext with its tag (16).
"""

from dataclasses import dataclass
from secrets import token_bytes
from typing import cast
from uuid import UUID

from cryptography.exceptions import InvalidTag
from django.db import models
from django.utils.module_loading import import_string

from tenants.models import THE_SQUARE, SealedField
from tenants.vault.data_keys import OpenKey, key_with_id, sealing_key

_FORMAT = b"\x01"
_ID, _NONCE = slice(1, 17), slice(17, 29)
_NONCE_BYTES, _HEAD_BYTES = 12, 29


class SealBroken(RuntimeError):
    """A sealed value was changed, or stands where it was not sealed for: a fault, or an attack."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Where a sealed value stands. `tenant_id` is THE_SQUARE for what belongs to no tenant."""

    table: str
    column: str
    row: str
    tenant_id: UUID = THE_SQUARE

    @property
    def bound(self) -> bytes:
        """What goes into the tag. Lengths, so that no two cells spell alike."""
        parts = (str(self.tenant_id), self.table, self.column, self.row)
        return b"".join(len(part).to_bytes(4, "big") + part for part in map(str.encode, parts))


def seal(text: str, *, at: Cell) -> bytes:
    """Seal `text` for `at` with its tenant's present key. Raises MasterKeyMissing."""
    return _sealed(text.encode(), at, sealing_key(at.tenant_id))


def unseal(sealed: bytes, *, at: Cell) -> str:
    """What was sealed for `at`. Raises SealBroken, DataKeyGone, MasterKeyMissing."""
    key_id = key_id_of(sealed)
    if key_id is None:
        raise SealBroken(f"{at} holds nothing that was sealed.")
    key = key_with_id(key_id, tenant_id=at.tenant_id)
    try:
        return key.cipher.decrypt(sealed[_NONCE], sealed[_HEAD_BYTES:], at.bound).decode()
    except InvalidTag as error:
        raise SealBroken(f"{at} holds what was not sealed for it.") from error


def seal_for(row: models.Model, column: str, text: str) -> bytes:
    """`text` sealed for `row`'s column, a SealedField; the row needs its id and its tenant."""
    return seal(text, at=cell_of(row, column))


def open_of(row: models.Model, column: str) -> str:
    """What `row`'s column holds. Raises SealBroken, DataKeyGone, MasterKeyMissing."""
    sealed = bytes(getattr(row, column))
    field = field_of(type(row), column)
    if key_id_of(sealed) is None and field.before:
        return str(import_string(field.before)(sealed))
    return unseal(sealed, at=cell_of(row, column))


def key_id_of(sealed: bytes) -> UUID | None:
    """Which data key opens it; None for what the vault has not sealed."""
    if not sealed.startswith(_FORMAT) or len(sealed) < _HEAD_BYTES:
        return None
    return UUID(bytes=sealed[_ID])


def cell_of(row: models.Model, column: str) -> Cell:
    whose = field_of(type(row), column).whose
    table = type(row)._meta.db_table  # noqa: SLF001 - Django's documented way to a model's table
    tenant_id = THE_SQUARE if whose is None else getattr(row, whose)
    return Cell(table, column, str(row.pk), tenant_id)


def field_of(model: type[models.Model], column: str) -> SealedField:
    return cast("SealedField", model._meta.get_field(column))  # noqa: SLF001 - as above


def _sealed(data: bytes, at: Cell, key: OpenKey) -> bytes:
    nonce = token_bytes(_NONCE_BYTES)
    return _FORMAT + key.id.bytes + nonce + key.cipher.encrypt(nonce, data, at.bound)
