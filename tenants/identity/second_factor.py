"""A second factor by an authenticator app, with recovery codes for when it is lost.

The secret is sealed in the vault; a code is taken once, by a conditional update, so that of two who show
it at once one comes in. Whoever asks counts the attempts (`guard`): a million codes are soon tried.
"""

import base64
import re
import secrets
from datetime import datetime
from urllib.parse import quote, urlencode
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django_otp.oath import TOTP

from config.logs import logger
from tenants.identity.hashing import digest
from tenants.identity.refusals import (
    SecondFactorInvalid,
    SecondFactorKnown,
    SecondFactorNeeded,
    SecondFactorNotSetUp,
)
from tenants.identity.throttles import limited
from tenants.models import Authenticator, Person, RecoveryCode
from tenants.vault.sealing import open_of, seal_for

log = logger(__name__)
LONGEST_CODE = 40
CODES = 10
_SECRET_BYTES, _CODE_BYTES = 20, 10
# One step of 30 s before and after: clocks differ, and people type slowly.
_TOLERANCE = 1
_PER_MINUTE, _PER_DAY = "5/m", "60/d"
_DIGITS = re.compile(r"[0-9]{6}")


def is_set_up(person: Person) -> bool:
    """Whether a sign-in of this person asks for a code."""
    return Authenticator.objects.filter(person=person, confirmed_at__isnull=False).exists()


def guard(request: HttpRequest, *, person_id: UUID) -> None:
    """Count one code that is shown for this person. Raises RateLimited, ServiceUnavailable."""
    for rate in (_PER_MINUTE, _PER_DAY):
        limited(request, group="second-factor", keys=["person", str(person_id), rate], rate=rate)


@transaction.atomic
def begin(*, person: Person, now: datetime) -> str:
    """The secret (base32) for a new app, which counts once `confirm` has seen a code of it.

    Asked again it is another one. Raises SecondFactorKnown where the person has a confirmed one.
    """
    if is_set_up(person):
        raise SecondFactorKnown()
    secret = base64.b32encode(secrets.token_bytes(_SECRET_BYTES)).decode()
    Authenticator.objects.filter(person=person).delete()
    row = Authenticator(person=person, created_at=now)
    row.sealed_secret = seal_for(row, "sealed_secret", secret)
    row.save(force_insert=True)
    return secret


def address_of_app(*, person: Person, secret: str) -> str:
    """The `otpauth:` address that an app reads, also off a picture."""
    label = quote(f"Plaza:{person.email}")
    return f"otpauth://totp/{label}?{urlencode({'secret': secret, 'issuer': 'Plaza'})}"


@transaction.atomic
def confirm(*, person: Person, code: str, now: datetime) -> list[str]:
    """From now on sign-ins ask for a code; the recovery codes, shown this once.

    Raises SecondFactorNotSetUp before `begin`, SecondFactorKnown after a `confirm`, SecondFactorInvalid.
    """
    row = Authenticator.objects.select_for_update().filter(person=person).first()
    if row is None:
        raise SecondFactorNotSetUp()
    if row.confirmed_at is not None:
        raise SecondFactorKnown()
    _take_code(row, code, now)
    Authenticator.objects.filter(pk=row.pk).update(confirmed_at=now)
    log.info("second_factor.set_up", extra={"person_id": str(person.pk)})
    return new_recovery_codes(person)


@transaction.atomic
def prove(*, person: Person, code: str, now: datetime) -> None:
    """Take a code of the app, or a recovery code. Raises SecondFactorInvalid, also for one taken before."""
    row = Authenticator.objects.filter(person=person, confirmed_at__isnull=False).first()
    if row is None:
        raise SecondFactorNotSetUp()
    if _DIGITS.fullmatch(_typed(code)):
        _take_code(row, _typed(code), now)
    elif not _unused(person, code).update(used_at=now):
        raise SecondFactorInvalid()
    else:
        log.info("recovery_code.used", extra={"person_id": str(person.pk)})


def prove_where_set_up(request: HttpRequest, *, person: Person, code: str, now: datetime) -> bool:
    """At a sign-in, after the password: whether a second factor was proved.

    False for a person who has none. Raises SecondFactorNeeded without a code, RateLimited, and what
    `prove` raises.
    """
    if not is_set_up(person):
        return False
    if not code:
        raise SecondFactorNeeded()
    guard(request, person_id=person.pk)
    prove(person=person, code=code, now=now)
    return True


@transaction.atomic
def new_recovery_codes(person: Person) -> list[str]:
    """Ten new ones, shown this once; the former ones count no more."""
    codes = [base64.b32encode(secrets.token_bytes(_CODE_BYTES)).decode() for _ in range(CODES)]
    RecoveryCode.objects.filter(person=person).delete()
    RecoveryCode.objects.bulk_create(
        RecoveryCode(person=person, code_hash=digest(code)) for code in codes
    )
    return ["-".join(code[part : part + 4] for part in range(0, 16, 4)) for code in codes]


def recovery_codes_left(person: Person) -> int:
    return RecoveryCode.objects.filter(person=person, used_at=None).count()


@transaction.atomic
def remove(*, person: Person) -> bool:
    """Let go of app and codes; whether there was an app."""
    RecoveryCode.objects.filter(person=person).delete()
    gone, _ = Authenticator.objects.filter(person=person).delete()
    log.info("second_factor.removed", extra={"person_id": str(person.pk)})
    return bool(gone)


def code_now(*, person: Person, now: datetime) -> str:
    """The code that the person's app shows at this moment: for demos and tests, which have no app."""
    row = Authenticator.objects.get(person=person)
    clock = _clock(row, now)
    # The next one, where this one was taken: they would wait for it.
    clock.drift = int(row.last_step is not None and row.last_step >= clock.t())
    return f"{clock.token():06d}"


def _take_code(row: Authenticator, code: str, now: datetime) -> None:
    clock, least = _clock(row, now), 0 if row.last_step is None else row.last_step + 1
    typed = _typed(code)
    if not _DIGITS.fullmatch(typed) or not clock.verify(int(typed), _TOLERANCE, min_t=least):
        raise SecondFactorInvalid()
    # The condition is in the UPDATE: two that show one code at once would otherwise both come in.
    step = clock.t()
    earlier = Q(last_step=None) | Q(last_step__lt=step)
    if not Authenticator.objects.filter(earlier, pk=row.pk).update(last_step=step):
        raise SecondFactorInvalid()


def _clock(row: Authenticator, now: datetime) -> TOTP:
    clock = TOTP(base64.b32decode(open_of(row, "sealed_secret")))
    clock.time = now.timestamp()
    return clock


def _typed(code: str) -> str:
    """As it was meant: apps show `123 456`, people write `abcd-efgh…`."""
    return re.sub(r"[\s-]", "", code).upper()


def _unused(person: Person, code: str) -> QuerySet[RecoveryCode]:
    return RecoveryCode.objects.filter(person=person, code_hash=digest(_typed(code)), used_at=None)
