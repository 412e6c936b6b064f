"""`Idempotency-Key`: the same key and body answer the same bytes; the answer commits with the work.

Answers are sealed at rest, since some hold secrets (a new API key). Kept 24 h (config/tasks.py).
Refused work is not kept: it left nothing behind, so a repeat may try again.

A repeat costs none of the tenant's API calls (quotas/costs.py), and is answered where none are left: who
lost the answer to the last call that was paid for has paid for the answer. It is a request like any other to the
rates, and to whatever else refuses: a suspended tenant is told nothing again.
"""

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from functools import cache

from cryptography.fernet import Fernet
from django.conf import settings
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse

from config.context import current_tenant
from config.errors import (
    DomainError,
    IdempotencyKeyBusy,
    IdempotencyKeyReused,
    ServiceUnavailable,
    ValidationFailed,
)
from config.models import KeptAnswer

_LONGEST_KEY = 255
_BATCH = 207
Refuse = Callable[[DomainError], HttpResponse]


def once(request: HttpRequest, work: Callable[[], HttpResponse], refuse: Refuse) -> HttpResponse:
    """Run `work` unless this POST's Idempotency-Key has an answer already; `refuse` words a refusal."""
    key = request.headers.get("Idempotency-Key", "")
    if request.method != "POST" or not key:
        return work()
    if len(key) > _LONGEST_KEY or not key.isprintable():
        message = f"Up to {_LONGEST_KEY} printable characters."
        return refuse(ValidationFailed(errors={"Idempotency-Key": [message]}))
    scope, digest = _scope(request), _digest(request)
    try:
        with transaction.atomic():
            _alone(scope, key)
            kept = KeptAnswer.objects.filter(scope=scope, key=key).first()
            answer = _replay(kept, digest) if kept else _refused_unless_kept(request, refuse)
            return answer or _run(work, scope, key, digest)
    except (IdempotencyKeyBusy, IdempotencyKeyReused, ServiceUnavailable) as refusal:
        return refuse(refusal)


def leave_to_once(request: HttpRequest, *, unless_kept: DomainError) -> bool:
    """Let `once` decide, if it will be asked: it tells a kept answer again, and else refuses with this."""
    if request.method != "POST" or not request.headers.get("Idempotency-Key"):
        return False
    request.unless_kept = unless_kept  # type: ignore[attr-defined]
    return True


def _refused_unless_kept(request: HttpRequest, refuse: Refuse) -> HttpResponse | None:
    refusal: DomainError | None = getattr(request, "unless_kept", None)
    if refusal is None:
        return None
    answer = refuse(refusal)
    answer.refusal = refusal  # type: ignore[attr-defined]  # for the gate, which explains it
    return answer


def _run(work: Callable[[], HttpResponse], scope: str, key: str, digest: str) -> HttpResponse:
    answer = work()
    if hasattr(answer, "render"):
        answer.render()
    if answer.status_code >= 400:
        transaction.set_rollback(True)
        return answer
    if answer.status_code == _BATCH and _has_failed_items(answer):
        # Kept, the answer would tell "try again later" for a day; half of it committed, a repeat
        # would find the other half done. So all of it may be sent again.
        transaction.set_rollback(True)
        raise ServiceUnavailable()
    tenant = current_tenant()
    KeptAnswer.objects.create(
        tenant_id=tenant.id if tenant else None,
        scope=scope,
        key=key,
        request_hash=digest,
        status=answer.status_code,
        content_type=answer.headers.get("Content-Type", ""),
        sealed_body=_seal().encrypt(answer.content),
    )
    return answer


def _has_failed_items(answer: HttpResponse) -> bool:
    return any(item["status"] >= 500 for item in json.loads(answer.content)["results"])


def _replay(kept: KeptAnswer, digest: str) -> HttpResponse:
    if kept.request_hash != digest:
        raise IdempotencyKeyReused()
    body = _seal().decrypt(bytes(kept.sealed_body))
    answer = HttpResponse(body, status=kept.status, content_type=kept.content_type)
    answer["Idempotent-Replayed"] = "true"
    answer.is_replayed = True  # type: ignore[attr-defined]  # for the gate, which charges nothing
    answer["Cache-Control"] = "no-store"
    return answer


def _alone(scope: str, key: str) -> None:
    """One at a time for each key; the twin is told so instead of waiting."""
    lock = int.from_bytes(hashlib.sha256(f"{scope}\n{key}".encode()).digest()[:8], signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [lock])
        if not cursor.fetchone()[0]:
            raise IdempotencyKeyBusy()


def _scope(request: HttpRequest) -> str:
    """Keys of different tenants and credentials never meet."""
    tenant = current_tenant()
    caller = getattr(request, "caller", None)
    return f"{tenant.id if tenant else 'square'}:{getattr(caller, 'credential_id', '')}"


def _digest(request: HttpRequest) -> str:
    """What makes two requests the same: method, address and body (a multipart body without its boundary)."""
    digest = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    if request.content_type == "multipart/form-data":
        for name in sorted(request.POST):
            digest.update(repr((name, request.POST.getlist(name))).encode())
        for name in sorted(request.FILES):
            for upload in request.FILES.getlist(name):
                digest.update(repr((name, upload.name, upload.size)).encode())
                for chunk in upload.chunks():
                    digest.update(chunk)
                upload.seek(0)
    else:
        digest.update(request.body)
    return digest.hexdigest()


@cache
def _seal() -> Fernet:
    key = hashlib.sha256(b"plaza.kept-answers\n" + settings.SECRET_KEY.encode()).digest()
    return Fernet(urlsafe_b64encode(key))
