"""Buying a plan, changing it, and the provider's own pages. What was paid comes back as a webhook."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from billing import providers
from billing.catalogue import FREE, PlanSpec
from billing.models import Subscription
from billing.providers.base import Checkout, CheckoutWish
from billing.providers.gateways import Gateway
from billing.refusals import (
    AlreadySubscribed,
    CurrencyKept,
    PaymentAccountMissing,
    PaymentRequired,
)
from billing.services import amending, states
from billing.services.amending import Amended
from billing.services.finding import find_plan, subscription_of
from billing.services.grants import entitle
from billing.services.prices import current_price
from billing.services.terms import present_terms
from billing.services.wishes import Wish
from config.errors import ValidationFailed
from config.needs import Role
from tenants.life import refuse_closing
from tenants.models import Member, Tenant
from tenants.services import url_of
from tenants.trail.actions import Action
from tenants.trail.recording import Change, Subject, record

CHECKOUT_PATH = "/api/v1/checkout"
CHANGE_PATH = "/api/v1/subscription/change"


@dataclass(frozen=True, slots=True)
class Offer:
    """What somebody wants to buy, and where their browser goes afterwards (empty: the portal)."""

    plan: str
    interval: str
    currency: str
    provider: str
    success_url: str = ""


@transaction.atomic
def start_checkout(*, tenant_id: UUID, offer: Offer) -> Checkout:
    """Open the provider's page for `offer`. Nothing is granted before the payment's webhook came.

    Raises TenantClosing, AlreadySubscribed, PlanNotForSale, ValidationFailed, ProviderDown, ProviderRefused.
    """
    spec = find_plan(offer.plan)
    tenant = Tenant.objects.get(pk=tenant_id)
    refuse_closing(tenant)
    success_url = _own_address(tenant, "success_url", offer.success_url) or f"{url_of(tenant)}/"
    row = subscription_of(tenant_id, for_update=True)
    if row.is_collected:
        raise AlreadySubscribed(plan=row.plan, change=CHANGE_PATH)
    gateway = providers.gateway(offer.provider)
    price = current_price(
        provider=gateway.name, plan=spec.key, currency=offer.currency, interval=offer.interval
    )
    return gateway.create_checkout(
        CheckoutWish(
            tenant_id=tenant_id,
            customer_id=_customer(row, tenant, gateway),
            price_id=price.price_id,
            success_url=success_url,
            cancel_url=f"{url_of(tenant)}/",
        )
    )


def _own_address(tenant: Tenant, field: str, address: str) -> str:
    """`address` if it lies on the tenant's own host: else a link of ours would lead anywhere."""
    if not address:
        return ""
    is_plain = address.isprintable() and not set(address) & set("\\ ")
    # Compared as text, up to the slash: parsers disagree on what else a host may be.
    if not is_plain or not address.startswith(f"{url_of(tenant)}/"):
        raise ValidationFailed(errors={field: [_("An address of this tenant's own host.")]})
    return address


def _customer(row: Subscription, tenant: Tenant, gateway: Gateway) -> str:
    """The tenant's customer at the provider, made once: the row is locked by the caller."""
    if row.provider == gateway.name and row.provider_customer_id:
        return row.provider_customer_id
    owner = Member.objects.filter(tenant=tenant, role=Role.OWNER).order_by("created_at")
    email = owner.values_list("person__email", flat=True).first() or ""
    customer_id = gateway.create_customer(
        tenant_id=tenant.id, name=tenant.organisation, email=email
    )
    if customer_id:
        row.provider, row.provider_customer_id = gateway.name, customer_id
        row.provider_subscription_id = ""
        row.save()
    return customer_id


def portal_url(*, tenant_id: UUID, return_url: str = "") -> str:
    """The provider's page for cards and invoices. Raises PaymentAccountMissing."""
    tenant = Tenant.objects.get(pk=tenant_id)
    back = _own_address(tenant, "return_url", return_url) or f"{url_of(tenant)}/"
    row = subscription_of(tenant_id)
    if not row.provider_customer_id:
        raise PaymentAccountMissing(checkout=CHECKOUT_PATH)
    gateway = providers.gateway(row.provider)
    return gateway.portal_url(customer_id=row.provider_customer_id, return_url=back)


def change_plan(*, tenant_id: UUID, plan: str, now: datetime) -> tuple[Subscription, str]:
    """Ask for another plan; the subscription, and the address where the buyer must consent (or empty)."""
    amended = change_subscription(tenant_id=tenant_id, wish=Wish(plan=plan), now=now)
    return amended.row, amended.consent_url


@transaction.atomic
def change_subscription(*, tenant_id: UUID, wish: Wish, now: datetime) -> Amended:
    """Let the wish hold (billing/services/amending.py), also where nothing is paid for yet.

    There `free` is given at once, and another plan of a provider's trial waits for its word; another
    currency is that of the next checkout. Raises CurrencyKept for a provider's trial,
    PaymentRequired where a checkout must come first, TenantClosing for a paid plan of a closed tenant,
    and what amending.change raises.
    """
    row = subscription_of(tenant_id, for_update=True)
    if present_terms(row) is not None:
        return amending.change(tenant_id=tenant_id, wish=wish, now=now)
    if wish.currency and wish.currency != row.currency:
        _prefer(row, wish.currency, now)
    spec = find_plan(wish.plan or row.plan)
    if spec.is_paid:
        refuse_closing(Tenant.objects.get(pk=tenant_id))
    if spec.key == row.plan and not row.pending_plan:
        return Amended(row)
    if not row.is_collected:
        return Amended(_without_payment(row, spec, now))
    return Amended(row, _ask_provider(row, spec))


def _prefer(row: Subscription, currency: str, now: datetime) -> None:
    """Before anything is paid for, a currency is the one in which it will be."""
    if row.is_collected:
        raise CurrencyKept(provider=row.provider, currency=row.currency, checkout=CHECKOUT_PATH)
    row.currency = currency
    row.save()
    entitle(tenant_id=row.tenant_id, plan=row.plan, now=now)


def _without_payment(row: Subscription, spec: PlanSpec, now: datetime) -> Subscription:
    if spec.is_paid:
        raise PaymentRequired(plan=spec.key, checkout=CHECKOUT_PATH)
    change = Change(before={"plan": row.plan}, after={"plan": FREE})
    states.move(row, to=Subscription.Status.ACTIVE)
    row.plan, row.trial_ends_at = FREE, None
    row.save()
    record(Action.PLAN_CHANGED, Subject("subscription", row.pk), change, tenant_id=row.tenant_id)
    entitle(tenant_id=row.tenant_id, plan=FREE, now=now)
    return row


def _ask_provider(row: Subscription, spec: PlanSpec) -> str:
    gateway = providers.gateway(row.provider)
    consent_url = ""
    if spec.is_paid:
        price = current_price(
            provider=row.provider, plan=spec.key, currency=row.currency, interval=row.interval
        )
        consent_url = gateway.change_price(
            subscription_id=row.provider_subscription_id, price_id=price.price_id
        )
    else:
        gateway.cancel_at_period_end(subscription_id=row.provider_subscription_id)
    row.pending_plan = spec.key
    row.save()
    change = Change(before={"plan": row.plan}, after={"plan": spec.key})
    subject = Subject("subscription", row.pk)
    record(Action.PLAN_CHANGE_REQUESTED, subject, change, tenant_id=row.tenant_id)
    return consent_url
