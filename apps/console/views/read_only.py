"""What every list of the console is: looked at, never edited in place."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar, cast

from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import Http404, HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.enums import ActionVariant

Method = TypeVar("Method", bound=Callable[..., Any])
Row = TypeVar("Row", bound=Model)
# What the filters at a list's side ask; `__startswith` and its like would spell a value out.
_FILTERS_ASK = ("", "__exact", "__in", "__isnull")


def column(
    title: Promise, *, ordering: str | None = None, label: dict[str, str] | None = None
) -> Callable[[Method], Method]:
    """Make a method a column of a list; with `label`, of (value, text) pairs shown in a tone."""
    mark = display(description=title, ordering=ordering, label=label)
    return cast("Callable[[Method], Method]", mark)


def plain(name: str, title: Promise, *, boolean: bool = False) -> Callable[..., Any]:
    """A column that shows a field under a translated title; moments in short."""

    def read(_admin: object, row: object) -> Any:
        value = getattr(row, name)
        if isinstance(value, datetime):
            moment = date_format(timezone.localtime(value), "SHORT_DATETIME_FORMAT")
            return moment.replace(" ", "\N{NO-BREAK SPACE}")
        return None if value == "" else value

    mark = display(description=title, ordering=name, boolean=boolean or None)
    return cast("Callable[..., Any]", mark(read))


def button(title: Promise, *, path: str, variant: ActionVariant) -> Callable[[Method], Method]:
    """Make a method a button on a row's own page, at `<id>/<path>/`."""
    mark = action(description=title, url_path=path, variant=variant)
    return cast("Callable[[Method], Method]", mark)


def row_or_404(model: type[Row], object_id: str) -> Row:
    """The row of an id as an address has it. Raises Http404, also for what is no id at all."""
    try:
        found = model._default_manager.filter(pk=object_id).first()  # noqa: SLF001
    except (ValidationError, ValueError):
        found = None
    if found is None:
        raise Http404
    return found


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]
    """View for every operator; no adding, changing or deleting, one by one or in bulk."""

    actions = None
    list_per_page = 50
    # The count of a filtered list is enough; that of everything is one more scan.
    show_full_result_count = False
    list_filter_submit = False
    list_fullwidth = True
    empty_value_display = "–"

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Only what the list's own filters ask: `password__startswith` would spell a hash out."""
        named = {f"{field}{ending}" for field in self.list_filter for ending in _FILTERS_ASK}
        return lookup in named and "\x00" not in value

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(self.admin_site.has_permission(request))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(self.admin_site.has_permission(request))

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
