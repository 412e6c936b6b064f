"""The letters that tenants' own floor writes (tenants/mails)."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from tenants.mails.letters import Letter, LetterKind
from tenants.models import Tenant


def _endpoint_disabled(tenant: Tenant, facts: Mapping[str, Any]) -> Letter:
    why = (
        _("It answered that it is gone (410).")
        if facts["reason"] == "gone"
        else _("Nothing that we sent there in the last three days has arrived.")
    )
    return Letter(
        subject=_("A webhook endpoint was switched off"),
        paragraphs=(
            _("We no longer send events to %(url)s.") % {"url": facts["url"]},
            why,
            _("When it is mended, switch it on again by the API, and send again what failed."),
        ),
        action=_("See the API's documentation"),
        path="/docs",
    )


LETTERS = (LetterKind("webhook_endpoint_disabled", _endpoint_disabled),)
