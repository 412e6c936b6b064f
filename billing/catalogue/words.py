"""What is sold beside the plans, in the language that is active."""

from django.utils.translation import pgettext_lazy

# By the catalogue's own name. One that nobody has translated stays as it is.
_NAMES = {
    "10,000 contacts": pgettext_lazy("add-on", "10,000 contacts"),
    "50,000 e-mails": pgettext_lazy("add-on", "50,000 e-mails"),
    "Single sign-on": pgettext_lazy("add-on", "Single sign-on"),
}


def add_on_name(name: str) -> str:
    """`name` as the catalogue has it."""
    return str(_NAMES.get(name, name))
