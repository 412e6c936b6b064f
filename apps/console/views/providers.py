"""What passes between the payment providers and us: what they are still to do, and where they differ."""

from django.contrib.admin import EmptyFieldListFilter, register
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.enums import ActionVariant

from apps.console.states import TONES, shown
from apps.console.views.confirmation import Act, confirmed
from apps.console.views.read_only import ReadOnlyAdmin, button, column, plain, row_or_404
from apps.console.views.site import site
from billing.models import ProviderCommand, ProviderDifference
from billing.services import commands, repairing


@register(ProviderCommand, site=site)
class ProviderCommandAdmin(ReadOnlyAdmin):
    promised = plain("promised_at", _("promised"))
    who = plain("provider", _("provider"))
    what = plain("kind", _("kind"))
    subject = plain("subject_id", _("about"))
    owner = plain("tenant_id", _("tenant"))
    tries = plain("attempts", _("attempts"))
    trouble = plain("error", _("error"))
    result = plain("outcome", _("outcome"))
    following = plain("next_attempt_at", _("next attempt"))
    settled = plain("settled_at", _("settled"))
    list_display = ("promised", "who", "what", "state", "owner", "tries", "result", "trouble")
    list_filter = ("status", "kind", "provider")
    search_fields = ("error", "outcome")
    ordering = ("-promised_at",)
    fields = (
        ("who", "what"),
        ("state", "tries"),
        ("promised", "settled"),
        ("following", "owner"),
        "subject",
        "result",
        "trouble",
    )
    readonly_fields = (*list_display, "subject", "following", "settled")
    actions_detail = ("run_again",)

    @column(_("state"), ordering="status", label=TONES)
    def state(self, command: ProviderCommand) -> tuple[str, str]:
        return shown(command.status)

    @button(_("Try again"), path="run-again", variant=ActionVariant.PRIMARY)
    def run_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        command = row_or_404(ProviderCommand, object_id)
        act = Act(
            title=_("Try this command again"),
            consequence=_(
                "The provider is asked first what it has done already: nothing is charged twice."
            ),
            do=lambda _reason: commands.run_again(command_id=command.pk, now=timezone.now()),
            done=_("The command is tried again."),
            back=reverse("console:billing_providercommand_change", args=[command.pk]),
        )
        return confirmed(self, request, command, act)


@register(ProviderDifference, site=site)
class ProviderDifferenceAdmin(ReadOnlyAdmin):
    found = plain("found_at", _("found"))
    seen = plain("seen_at", _("last seen"))
    gone = plain("gone_at", _("gone"))
    who = plain("provider", _("provider"))
    what = plain("kind", _("kind"))
    named = plain("ref", _("reference"))
    owner = plain("tenant_id", _("tenant"))
    ours = plain("here", _("here"))
    theirs = plain("there", _("at the provider"))
    list_display = ("found", "who", "what", "named", "owner", "ours", "theirs", "gone")
    list_filter = ("kind", "provider", ("gone_at", EmptyFieldListFilter))
    search_fields = ("ref", "here", "there")
    ordering = ("-found_at",)
    fields = (("who", "what"), ("found", "seen"), ("gone", "owner"), "named", "ours", "theirs")
    readonly_fields = (*list_display, "seen")
    actions_detail = ("repair",)

    @button(_("Repair"), path="repair", variant=ActionVariant.PRIMARY)
    def repair(self, request: HttpRequest, object_id: str) -> HttpResponse:
        difference = row_or_404(ProviderDifference, object_id)
        act = Act(
            title=_("Repair this difference"),
            consequence=_(
                "What the provider says is taken over. What it does not know stays listed."
            ),
            do=lambda _reason: repairing.repair(difference_id=difference.pk, now=timezone.now()),
            done=_("The provider was asked anew."),
            back=reverse("console:billing_providerdifference_change", args=[difference.pk]),
        )
        return confirmed(self, request, difference, act)
