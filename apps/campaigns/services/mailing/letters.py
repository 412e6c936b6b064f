"""The letter of a campaign: copied from a template, checked so that no recipient can lack a value."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from apps.campaigns.models import Campaign, Mailing
from apps.campaigns.services.campaigns import CampaignFrozen
from apps.campaigns.services.lifecycle import locked
from apps.content.plain_text import plain
from apps.content.services.moulds import without_default
from apps.content.services.templates import email_template
from apps.content.substitution import names, parse
from config.errors import NotFound, ValidationFailed
from tenants.trail.actions import Action
from tenants.trail.recording import Subject, record

# What every recipient has; any other value needs a default, so that nobody reads a gap.
ALWAYS_KNOWN = frozenset({"email", "unsubscribe_url"})
_OPEN = (Campaign.Status.DRAFT, Campaign.Status.SCHEDULED)


@dataclass(frozen=True, slots=True)
class LetterWish:
    """`template_id` is an e-mail template; `reply_to` an address, or empty for none."""

    template_id: UUID
    sender_name: str
    reply_to: str = ""


def letter_of(*, campaign_id: UUID) -> Mailing:
    """Raises NotFound."""
    found = Mailing.objects.filter(pk=campaign_id).first()
    if found is None:
        raise NotFound()
    return found


@transaction.atomic
def write(*, campaign_id: UUID, wish: LetterWish, now: datetime) -> Mailing:
    """Give the campaign its letter, or another one; a link to unsubscribe is added where there is none.

    Raises NotFound, CampaignFrozen once it is active, and ValidationFailed: `campaign` that is no e-mail,
    `template_id` that is none, or whose variables could be empty for somebody.
    """
    campaign = locked(campaign_id)
    if campaign.status not in _OPEN:
        raise CampaignFrozen(status=campaign.status, frozen=["letter"], editable=[])
    if campaign.type != Campaign.Type.EMAIL:
        raise ValidationFailed(errors={"campaign": [_("Only a campaign by e-mail has a letter.")]})
    template = email_template(wish.template_id)
    if template is None:
        raise ValidationFailed(errors={"template_id": [_("There is no such e-mail template.")]})
    html = _with_way_out(template.body)
    _check_no_gaps(template.subject, html)
    mailing, _made = Mailing.objects.update_or_create(
        campaign=campaign,
        defaults={
            "template_id": template.pk,
            "subject": template.subject,
            "html": html,
            "text": plain(html),
            "variables": names([*parse(template.subject), *parse(html)]),
            "sender_name": wish.sender_name,
            "reply_to": wish.reply_to,
        },
    )
    campaign.updated_at = now
    campaign.save(update_fields=["updated_at"])
    record(Action.CAMPAIGN_LETTER_SET, Subject("campaign", campaign.pk, campaign.name))
    return mailing


def _check_no_gaps(subject: str, html: str) -> None:
    gaps = sorted({*without_default(parse(subject)), *without_default(parse(html))} - ALWAYS_KNOWN)
    if gaps:
        message = _('Not everybody has a value for “%(name)s”: write {{ %(name)s|default:"…" }}.')
        raise ValidationFailed(errors={"template_id": [message % {"name": name} for name in gaps]})


def _with_way_out(html: str) -> str:
    """The law asks for a link to unsubscribe in each letter."""
    if "unsubscribe_url" in names(parse(html)):
        return html
    words = _("Unsubscribe")  # in the language of whoever sets the letter
    line = f'<p><a href="{{{{ unsubscribe_url }}}}">{words}</a></p>'
    head, end, rest = html.rpartition("</body>")
    return f"{head}{line}{end}{rest}" if end else f"{html}{line}"
