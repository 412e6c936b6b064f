"""API keys: `plz_<prefix>_<secret>`, shown once, kept as a hash, found by the prefix."""

import re
import secrets
import string
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _

from config.errors import NotFound, ValidationFailed
from config.logs import logger
from tenants.identity.caller import Caller, CallerKind
from tenants.identity.hashing import digest, new_secret
from tenants.identity.key_places import networks_of
from tenants.identity.refusals import ApiKeyEnded, ApiKeyInvalid, TokenInvalid
from tenants.identity.scopes import permissions_in, scopes_of
from tenants.isolation import on_square
from tenants.models import ApiKey, Member, Person
from tenants.trail.actions import Action
from tenants.trail.recording import Change, Subject, record

log = logger(__name__)
_FORMAT = re.compile(r"plz_([a-z0-9]{8})_[A-Za-z0-9_-]{43}")
_ALPHABET = string.ascii_lowercase + string.digits
_LONGEST_LIFE = timedelta(days=3650)
_NOTE_USE_EVERY = timedelta(minutes=1)


@transaction.atomic
def create_key(
    *,
    tenant_id: UUID,
    name: str,
    scopes: Iterable[str],
    created_by_id: UUID,
    expires_at: datetime | None = None,
    now: datetime | None = None,
    **more: Any,
) -> tuple[ApiKey, str]:
    """A key that acts as the member `created_by_id` within `scopes`; its text is not kept.

    `more` may be `allowed_networks`, and `replaces`, an older key. Raises ValidationFailed for unknown
    scopes and networks and, when `now` is given, for an expiry not ahead of it.
    """
    if expires_at and now and not now < expires_at < now + _LONGEST_LIFE:
        raise ValidationFailed(errors={"expires_at": [_("A time ahead, within ten years.")]})
    prefix = "".join(secrets.choice(_ALPHABET) for _index in range(8))
    raw = f"plz_{prefix}_{new_secret()}"
    key = ApiKey.objects.create(
        tenant_id=tenant_id,
        name=name,
        prefix=prefix,
        key_hash=digest(raw),
        scopes=sorted(scopes_of(scopes)),
        allowed_networks=networks_of(more.get("allowed_networks", ())),
        replaces=more.get("replaces"),
        created_by_id=created_by_id,
        expires_at=expires_at,
    )
    key.refresh_from_db(fields=["created_at"])  # the database's clock set it
    told = {"scopes": key.scopes, "networks": key.allowed_networks, "expires_at": expires_at}
    _record(Action.API_KEY_CREATED, key, Change(after=told))
    log.info("api_key.created", extra={"key_id": str(key.pk), "member_id": str(created_by_id)})
    return key, raw


@transaction.atomic
def rotate_key(
    *, tenant_id: UUID, key_id: UUID, overlap: timedelta, by_id: UUID, now: datetime
) -> tuple[ApiKey, str]:
    """A new key like this one, which goes on for `overlap` at most; it lives as long as that was to live.

    It acts as the member `by_id`, who is given its text: never as somebody else who made the older one.
    Raises NotFound, ApiKeyEnded.
    """
    old = _locked(tenant_id, key_id)
    if not old.is_live(at=now):
        raise ApiKeyEnded()
    made, raw = create_key(
        tenant_id=tenant_id,
        name=old.name,
        scopes=old.scopes,
        created_by_id=by_id,
        expires_at=now + (old.expires_at - old.created_at) if old.expires_at else None,
        allowed_networks=old.allowed_networks,
        replaces=old,
    )
    old.expires_at = min(old.expires_at or now + overlap, now + overlap)
    old.save(update_fields=["expires_at"])
    told = {"replaced_by": str(made.pk), "expires_at": old.expires_at}
    _record(Action.API_KEY_ROTATED, old, Change(after=told))
    log.info("api_key.rotated", extra={"key_id": str(old.pk), "new_key_id": str(made.pk)})
    return made, raw


@transaction.atomic
def limit_key(*, tenant_id: UUID, key_id: UUID, networks: Iterable[str]) -> ApiKey:
    """Let the key be used from these addresses and networks alone; from everywhere for none.

    Raises NotFound, ValidationFailed.
    """
    key = _locked(tenant_id, key_id)
    before = {"networks": key.allowed_networks}
    key.allowed_networks = networks_of(networks)
    key.save(update_fields=["allowed_networks"])
    after = {"networks": key.allowed_networks}
    _record(Action.API_KEY_CHANGED, key, Change(before=before, after=after))
    return key


def _locked(tenant_id: UUID, key_id: UUID) -> ApiKey:
    key = keys_of(tenant_id).select_for_update().filter(pk=key_id).first()
    if key is None:
        raise NotFound()
    return key


def _record(action: Action, key: ApiKey, change: Change) -> None:
    record(action, Subject("api_key", key.pk, key.name), change, tenant_id=key.tenant_id)


def find_key(raw: str, tenant_id: UUID | None, now: datetime) -> ApiKey:
    """The live key of this text, with its maker and their person: one query. Of any tenant for None.

    Raises TokenInvalid for what is not shaped like a key, ApiKeyInvalid for one that does not count here.
    """
    shaped = _FORMAT.fullmatch(raw)
    if shaped is None:
        raise TokenInvalid()
    keys = ApiKey.objects.select_related("created_by__person", "created_by__custom_role").filter(
        prefix=shaped[1]
    )
    key = (keys if tenant_id is None else keys.filter(tenant_id=tenant_id)).first()
    if key is None or not constant_time_compare(key.key_hash, digest(raw)):
        raise ApiKeyInvalid()
    if not key.is_live(at=now) or not _may_act(key.created_by):
        raise ApiKeyInvalid()
    return key


def _may_act(maker: Member) -> bool:
    return maker.person.is_active and maker.person.kind == Person.Kind.MEMBER


def note_use(key: ApiKey, *, now: datetime) -> None:
    """Remember that the key was used, at most once a minute."""
    if key.last_used_at is None or key.last_used_at <= now - _NOTE_USE_EVERY:
        with on_square():
            ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
        key.last_used_at = now  # the snapshot's row, which is asked again


def key_caller(key: ApiKey) -> Caller:
    """A key acts as its maker: with their permissions of this moment, within its own scopes."""
    return Caller(
        kind=CallerKind.API_KEY,
        tenant_id=key.tenant_id,
        person_id=key.created_by.person_id,
        member_id=key.created_by_id,
        role_name=key.created_by.role_name,
        scopes=frozenset(key.scopes),
        permissions=key.created_by.permissions & permissions_in(key.scopes),
        credential_id=f"key:{key.pk}",
    )


def keys_of(tenant_id: UUID) -> QuerySet[ApiKey]:
    """Every key of the tenant, revoked ones too."""
    return ApiKey.objects.filter(tenant_id=tenant_id)


@transaction.atomic
def revoke_key(*, tenant_id: UUID, key_id: UUID, now: datetime) -> None:
    """Refuse the key from the next request on. Harmless twice. Raises NotFound."""
    key = keys_of(tenant_id).filter(pk=key_id).first()
    if key is None:
        raise NotFound()
    if keys_of(tenant_id).filter(pk=key_id, revoked_at=None).update(revoked_at=now):
        _record(Action.API_KEY_REVOKED, key, Change(after={"revoked_at": now}))
        log.info("api_key.revoked", extra={"key_id": str(key_id)})
