"""Cursor pages: the same cost on the first page and on the last, and no row twice while rows arrive."""

from base64 import b64decode
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs

from django.core.exceptions import ValidationError
from django.db import DataError
from rest_framework.exceptions import NotFound as BadCursor
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response

from config.errors import ValidationFailed


def _no_cursor() -> ValidationFailed:
    return ValidationFailed(errors={"cursor": ["Not a cursor of this list."]})


def _is_ours(cursor: str) -> bool:
    """Whether a cursor is spelled as we spell them: DRF skips what is no base64, and reads page one."""
    if not cursor:
        return True
    try:
        parts = parse_qs(b64decode(cursor, validate=True).decode(), strict_parsing=True)
    except ValueError:
        return False
    return parts.keys() <= {"o", "r", "p"}


class CursorPage(CursorPagination):
    """`{results, next, previous}`; `?cursor=`, `?limit=` 1..200, `?ordering=` one of the view's list.

    The view lists what may order it in `ordering_fields`; the first is the default. The id is added
    last, so that equal values keep one order.
    """

    page_size = 50
    page_size_query_param = "limit"
    max_page_size = 200
    ordering = "-id"
    # DRF stops counting rows of one value at 1,000, and would then answer the same page for ever.
    offset_cutoff = 100_000_000

    def decode_cursor(self, request: Request) -> Any:
        try:
            found = super().decode_cursor(request)
        except BadCursor as error:
            raise _no_cursor() from error
        if found is not None and not _is_ours(request.query_params[self.cursor_query_param]):
            raise _no_cursor()
        if found is not None and "\0" in str(found.position):
            raise _no_cursor()
        return found

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> Any:
        try:
            return super().paginate_queryset(queryset, request, view)
        except (ValidationError, ValueError, OverflowError, DataError) as error:
            # The position is not of the ordering column's kind: the cursor is another list's, or made up.
            if self.cursor_query_param not in request.query_params:
                raise
            raise _no_cursor() from error

    def get_page_size(self, request: Request) -> int:
        asked = request.query_params.get("limit")
        if asked is None:
            return self.page_size
        if len(asked) > 3 or not asked.isdecimal() or not 1 <= int(asked) <= self.max_page_size:
            message = f"A whole number from 1 to {self.max_page_size}."
            raise ValidationFailed(errors={"limit": [message]})
        return int(asked)

    def get_ordering(self, request: Request, queryset: Any, view: Any) -> tuple[str, ...]:
        allowed: Sequence[str] = getattr(view, "ordering_fields", ("-id",))
        asked = request.query_params.get("ordering") or allowed[0]
        names = {name.lstrip("-") for name in allowed}
        if asked.lstrip("-") not in names or asked.startswith("--"):
            message = f"One of {', '.join(sorted(names))}, with or without a leading '-'."
            raise ValidationFailed(errors={"ordering": [message]})
        if asked.lstrip("-") == "id":
            return (asked,)
        return (asked, "-id" if asked.startswith("-") else "id")

    def parts(self, results: Any) -> dict[str, Any]:
        """The body of a page, in the order in which it is written."""
        return {
            "next": self.get_next_link(),
            "previous": self.get_previous_link(),
            "results": results,
        }

    def get_paginated_response(self, data: Any) -> Response:
        return Response(self.parts(data))
