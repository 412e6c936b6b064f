"""What people call the things that code names: meters, features, states."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from config.needs import Feature, Meter
from quotas.meters import Window

METERS: Mapping[Meter, Promise] = {
    Meter.API_CALLS: _("API calls a month"),
    Meter.CONTACTS: _("contacts"),
    Meter.SEATS: _("seats"),
    Meter.CAMPAIGNS: _("campaigns a month"),
    Meter.BULK_TASKS: _("bulk tasks a day"),
    Meter.EMAILS: _("e-mails"),
    Meter.SMS: _("text messages"),
    Meter.TEXT_GENERATIONS: _("generated texts"),
    Meter.IMAGES: _("generated images"),
    Meter.TOKENS: _("tokens of language models"),
    Meter.VALIDATIONS: _("validated addresses"),
    Meter.STORAGE_BYTES: _("bytes of storage"),
    Meter.ACTIVE_PEOPLE: _("active people"),
    Meter.VISITORS_AT_ONCE: _("visitors at the same time"),
}
UNITS: Mapping[Meter, Promise] = {
    Meter.API_CALLS: pgettext_lazy("unit", "call"),
    Meter.CONTACTS: pgettext_lazy("unit", "contact"),
    Meter.SEATS: pgettext_lazy("unit", "seat"),
    Meter.CAMPAIGNS: pgettext_lazy("unit", "campaign"),
    Meter.BULK_TASKS: pgettext_lazy("unit", "task"),
    Meter.EMAILS: pgettext_lazy("unit", "e-mail"),
    Meter.SMS: pgettext_lazy("unit", "message"),
    Meter.TEXT_GENERATIONS: pgettext_lazy("unit", "text"),
    Meter.IMAGES: pgettext_lazy("unit", "image"),
    Meter.TOKENS: pgettext_lazy("unit", "token"),
    Meter.VALIDATIONS: pgettext_lazy("unit", "address"),
    Meter.STORAGE_BYTES: pgettext_lazy("unit", "byte"),
    Meter.ACTIVE_PEOPLE: pgettext_lazy("unit", "person"),
    Meter.VISITORS_AT_ONCE: pgettext_lazy("unit", "visitor"),
}
WINDOWS: Mapping[Window, Promise] = {
    Window.LIFETIME: pgettext_lazy("window", "lifetime"),
    Window.MONTH: pgettext_lazy("window", "month"),
    Window.BILLING_PERIOD: pgettext_lazy("window", "billing period"),
    Window.DAY: pgettext_lazy("window", "day"),
}
FEATURES: Mapping[Feature, Promise] = {
    Feature.CRM: _("Contacts, companies and orders"),
    Feature.IMPORTS: _("Imports of CSV and XLSX files"),
    Feature.CAMPAIGNS: _("Campaigns"),
    Feature.CONTENT: _("Content studio"),
    Feature.API_KEYS: _("API keys"),
    Feature.SINGLE_SIGN_ON: _("Single sign-on"),
    Feature.AUDIT_EXPORT: _("Export of the audit trail"),
    Feature.CUSTOM_DOMAINS: _("Domains of your own"),
}
SUBSCRIPTION_STATES: Mapping[str, Promise] = {
    "trialing": pgettext_lazy("subscription", "on trial"),
    "active": pgettext_lazy("subscription", "active"),
    "past_due": pgettext_lazy("subscription", "payment overdue"),
    "paused": pgettext_lazy("subscription", "paused"),
    "cancelled": pgettext_lazy("subscription", "cancelled"),
    "expired": pgettext_lazy("subscription", "trial is over"),
}
# Each state of an import: its name, and the tone in which it is shown.
IMPORT_STATES: Mapping[str, tuple[Promise, str]] = {
    "queued": (pgettext_lazy("import", "waiting"), "accent"),
    "running": (pgettext_lazy("import", "running"), "accent"),
    "completed": (pgettext_lazy("import", "done"), "good"),
    "completed_with_errors": (pgettext_lazy("import", "done, with gaps"), "warn"),
    "failed": (pgettext_lazy("import", "failed"), "bad"),
    "cancelled": (pgettext_lazy("import", "cancelled"), ""),
}
EXPORT_STATES: Mapping[str, tuple[Promise, str]] = {
    "queued": (pgettext_lazy("export", "waiting"), "accent"),
    "running": (pgettext_lazy("export", "running"), "accent"),
    "completed": (pgettext_lazy("export", "ready"), "good"),
    "failed": (pgettext_lazy("export", "failed"), "bad"),
}
IMPORT_STOPS: Mapping[str, Promise] = {
    "quota_exceeded": _("The plan's allowance of contacts is used up; the rest was left out."),
    "file_invalid": _("The file could not be read to its end."),
    "gave_up": _("It failed again and again; support can look into it."),
    "cancelled": _("Somebody stopped it."),
}
