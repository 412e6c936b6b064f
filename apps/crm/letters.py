"""The letters of crm (tenants/mails)."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tenants.mails import Letter, LetterKind
from tenants.models import Tenant

_LAWS = {"gdpr": "GDPR", "ccpa": "CCPA", "pipeda": "PIPEDA"}
_KINDS = {
    "access": gettext_lazy("to see their data"),
    "erase": gettext_lazy("to be erased"),
    "correct": gettext_lazy("to have their data corrected"),
    "restrict": gettext_lazy("that use of their data is restricted"),
    "portability": gettext_lazy("to get their data for another provider"),
    "do_not_sell": gettext_lazy("that their data is not sold"),
}


def _due(tenant: Tenant, facts: Mapping[str, Any]) -> Letter:
    told = {
        "law": _LAWS[facts["law"]],
        "kind": _KINDS[facts["kind"]],
        "day": date_format(date.fromisoformat(facts["due_on"])),
    }
    subject = (
        _("A request under the %(law)s is overdue")
        if facts["is_late"]
        else _("A request under the %(law)s must be answered by %(day)s")
    )
    return Letter(
        subject=subject % told,
        paragraphs=(
            _("Somebody asks %(kind)s. The last day to answer is %(day)s.") % told,
            _("Complete it, extend it with a reason where the law allows, or refuse it."),
        ),
        action=_("How to answer it"),
        path="/docs",
    )


LETTERS = (LetterKind("privacy_request_due", _due),)
