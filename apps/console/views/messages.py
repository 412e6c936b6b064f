"""The outbox: promises of committed work that the broker has not got yet."""

from django.contrib.admin import register
from django.utils.translation import gettext_lazy as _

from apps.console.views.read_only import ReadOnlyAdmin, plain
from apps.console.views.site import site
from config.models import OutboxMessage


@register(OutboxMessage, site=site)
class OutboxMessageAdmin(ReadOnlyAdmin):
    begun = plain("created_at", _("since"))
    name = plain("task", _("task"))
    given = plain("arguments", _("arguments"))
    stamped = plain("headers", _("headers"))
    list_display = ("begun", "name", "id")
    list_filter = ("task",)
    search_fields = ("task", "id")
    ordering = ("created_at",)
    fields = readonly_fields = ("begun", "name", "given", "stamped", "id")
