"""People, by what they say of themselves: never a hash, a session or a factor."""

from django.contrib.admin import register
from django.utils.translation import gettext_lazy as _

from apps.console.states import KINDS
from apps.console.views.read_only import ReadOnlyAdmin, column, plain
from apps.console.views.site import site
from tenants.models import Person


@register(Person, site=site)
class PersonAdmin(ReadOnlyAdmin):
    address = plain("email", _("e-mail"))
    called = plain("name", _("name"))
    active = plain("is_active", _("active"), boolean=True)
    language = plain("locale", _("language"))
    since = plain("created_at", _("since"))
    seen = plain("last_login", _("last sign-in"))
    list_display = ("address", "called", "sort", "active", "since", "seen")
    list_filter = ("kind", "is_active")
    search_fields = ("email", "name")
    ordering = ("-created_at",)
    fields = (("address", "called"), ("sort", "active"), ("language", "seen"), "since")
    readonly_fields = (*list_display, "language")

    @column(_("kind"), ordering="kind")
    def sort(self, person: Person) -> str:
        return str(KINDS[person.kind])
