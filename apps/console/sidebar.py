"""What stands at the console's side."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Groups and items as unfold takes them; icons are Material Symbols, served locally."""
    return [
        {
            "title": _("Customers"),
            "items": [
                _item(_("Tenants"), "storefront", "tenants_tenant"),
                _item(_("Hosts"), "dns", "tenants_domain"),
                _item(_("People"), "group", "tenants_person"),
                _item(_("Erased tenants"), "delete_forever", "tenants_erasure"),
            ],
        },
        {
            "title": _("Money"),
            "items": [
                _item(_("Subscriptions"), "receipt_long", "billing_subscription"),
                _item(_("Invoices"), "description", "billing_invoice"),
                _item(_("Tax profiles"), "badge", "billing_taxprofile"),
                {
                    "title": _("Margins"),
                    "icon": "query_stats",
                    "link": reverse("console:margins"),
                },
                _item(_("Webhooks"), "webhook", "billing_webhookevent"),
                _item(_("Provider commands"), "send", "billing_providercommand"),
                _item(_("Differences"), "difference", "billing_providerdifference"),
            ],
        },
        {
            "title": _("Machinery"),
            "items": [
                _item(_("Outbox"), "outbox", "config_outboxmessage"),
                _item(_("Operators' trail"), "policy", "tenants_operatorevent"),
            ],
        },
    ]


def subtitle(request: HttpRequest) -> str:
    """What stands below the name at the top."""
    return _("Operators")


def _item(title: str, icon: str, model: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse(f"console:{model}_changelist")}
