"""The outbox: promises of committed work that the broker has not got yet."""

from django.contrib.admin import register

from apps.console.views.read_only import ReadOnlyAdmin
from apps.console.views.site import site
from config.models import OutboxMessage


@register(OutboxMessage, site=site)
class OutboxMessageAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "task", "id")
    list_filter = ("task",)
    search_fields = ("task", "id")
    ordering = ("created_at",)
    fields = ("id", "task", "arguments", "headers", "created_at")
    readonly_fields = ("id", "created_at")
