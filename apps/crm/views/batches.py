"""`/<noun>/batch` and what follows it: up to 1,000 items, each done or refused alone, in few statements."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from apps.crm.services.batches.finding import archive, ids_by
from apps.crm.services.batches.nouns import Batch, Done, Noun
from apps.crm.services.batches.running import run
from config.api import View, as_domain_error, batch_items, batch_results, parse
from config.errors import DomainError, NotFound, ValidationFailed
from config.personal import declared_personal, refuse_hidden
from config.quick_json import quick_answer
from config.serializers import BatchOut, StrictSerializer, batch_of, parse_changes

Parsed = dict[str, Any] | DomainError
KEY = OpenApiParameter("key", enum=["email", "external_id"])


class IdIn(StrictSerializer):
    id = serializers.UUIDField()


class BatchActions:
    """Actions of a viewset whose `batch_noun` is declared, and whose items are `batch_item`'s."""

    batch_noun: ClassVar[Noun]
    batch_item: ClassVar[type[StrictSerializer]]

    @action(detail=False, methods=["post"])
    def batch(self, request: Request) -> HttpResponse:
        """Up to 1,000 items, each done or refused alone; with `?key=` those that exist are changed."""
        key = _key(request, self.batch_noun)
        return self._run(request, key, adds=True, read=lambda item: parse(self.batch_item, item))

    @action(detail=False, methods=["post"], url_path="batch/update")
    def batch_update(self, request: Request) -> HttpResponse:
        """Change what each item names of the row that has its `id`, or its `?key=`; what lacks is refused."""
        key = _key(request, self.batch_noun)
        return self._run(request, key or "id", adds=False, read=self._changes if key is None else
                         lambda item: parse_changes(self.batch_item, item))  # fmt: skip

    def _changes(self, item: Any) -> dict[str, Any]:
        if not isinstance(item, dict):
            return parse(IdIn, item)
        named = parse(IdIn, {"id": item.get("id")})
        rest = {name: value for name, value in item.items() if name != "id"}
        return {**parse_changes(self.batch_item, rest), **named}

    def _run(
        self, request: Request, key: str | None, *, adds: bool, read: Callable[[Any], Any]
    ) -> HttpResponse:
        parsed = _parsed(request, read)
        wishes = {
            place: item for place, item in enumerate(parsed) if not isinstance(item, DomainError)
        }
        now = timezone.now()
        batch = Batch(noun=self.batch_noun, key=key, adds=adds, now=now)
        outcomes = run(batch, wishes)
        told: list[dict[str, Any] | DomainError] = []
        for place, item in enumerate(parsed):
            became = outcomes.get(place, item)
            if isinstance(became, Done):
                told.append({"status": 201 if became.is_new else 200, "id": str(became.id)})
            elif isinstance(became, DomainError):
                told.append(became)
        return _answer(request, told)


class Archiving:
    """Batches of what can be archived."""

    batch_noun: ClassVar[Noun]

    @extend_schema(request=batch_of(IdIn), responses={207: BatchOut})
    @action(detail=False, methods=["post"], url_path="batch/archive")
    def batch_archive(self, request: Request) -> HttpResponse:
        """Take each out of lists; what is archived already stays so."""
        parsed = _parsed(request, lambda item: parse(IdIn, item))
        ids = {item["id"] for item in parsed if not isinstance(item, DomainError)}
        done = archive(self.batch_noun, ids, now=timezone.now())
        return _answer(request, [_found(item, done) for item in parsed])


class BatchRead(View):
    """Up to 1,000 rows by `id` or by a key; `item` is each as its own address answers it."""

    noun: ClassVar[Noun]
    model: ClassVar[type[Any]]

    def rows_of(self, ids: Collection[UUID]) -> Mapping[UUID, Any]:
        """Those of these that exist, as they are answered; in a fixed number of queries."""
        raise NotImplementedError  # each noun answers in its own shape; no address leads to this class

    def post(self, request: Request) -> HttpResponse:
        parsed = _parsed(request, self._one)
        wishes = [item for item in parsed if not isinstance(item, DomainError)]
        found = ids_by(self.noun, wishes)
        rows = self.rows_of(set(found.values()))
        told: list[dict[str, Any] | DomainError] = []
        for item in parsed:
            if isinstance(item, DomainError):
                told.append(item)
                continue
            pk = found.get(next(iter(item.items())))
            row = rows.get(pk) if pk else None
            told.append({"status": 200, "id": str(pk), "item": row} if row else NotFound())
        return _answer(request, told)

    def _one(self, item: Any) -> dict[str, Any]:
        """`{name: value}` of the one thing by which the item names its row."""
        names = ["id", *(key.column for key in self.noun.keys)]
        if not isinstance(item, dict) or len(item) != 1 or not item.keys() <= set(names):
            raise ValidationFailed(errors={"non_field_errors": [_one_of(names)]})
        [(name, value)] = item.items()
        if name == "id":
            return parse(IdIn, item)
        if name in declared_personal(self.model):
            refuse_hidden()
        if not isinstance(value, str) or not value or "\0" in value:
            raise ValidationFailed(errors={name: [_("A text.")]})
        key = self.noun.key(name)
        lowers = name == "email" or (key is not None and key.lowered)
        return {name: value.lower() if lowers else value}


def batch_schema(item: type[StrictSerializer]) -> Callable[[Any], Any]:
    """Describe a noun's batches: what the actions above cannot say of a viewset that is not there yet."""

    def describe(viewset: Any) -> Any:
        viewset.batch_item = item
        told = extend_schema(parameters=[KEY], request=batch_of(item), responses={207: BatchOut})
        for name in ("batch", "batch_update"):
            setattr(viewset, name, told(getattr(viewset, name)))
        return viewset

    return describe


def _key(request: Request, noun: Noun) -> str | None:
    value = request.query_params.get("key")
    if value is not None and noun.key(value) is None:
        raise ValidationFailed(errors={"key": [_one_of([key.column for key in noun.keys])]})
    return value


def _one_of(names: Collection[str]) -> str:
    return _("One of %s.") % ", ".join(names)


def _parsed(request: Request, read: Callable[[Any], dict[str, Any]]) -> list[Parsed]:
    parsed: list[Parsed] = []
    for item in batch_items(request.data):
        try:
            parsed.append(read(item))
        except (DomainError, APIException) as raised:
            refusal = as_domain_error(raised)
            if refusal is None:
                raise
            parsed.append(refusal)
    return parsed


def _found(item: Parsed, done: Collection[UUID]) -> dict[str, Any] | DomainError:
    if isinstance(item, DomainError):
        return item
    return {"status": 200, "id": str(item["id"])} if item["id"] in done else NotFound()


def _answer(request: Request, outcomes: list[dict[str, Any] | DomainError]) -> HttpResponse:
    results, refusals = batch_results(outcomes)
    answer = quick_answer(request, {"results": results}, status=207)
    answer.refusals = refusals  # type: ignore[attr-defined]  # for the gate, which explains them
    return answer
