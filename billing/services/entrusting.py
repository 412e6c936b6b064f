"""What a provider does beside collecting an invoice: leave its own void, take more with a cycle, mirror use."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Sum

from billing import providers
from billing.models import Invoice, ProviderCommand, Subscription
from billing.money import Money
from billing.providers.base import ProviderNotYet
from billing.services import commands
from billing.services.cycles import agreed_cycle
from config.logs import logger

log = logger(__name__)
Kind = ProviderCommand.Kind
_CONSENT_PAUSE = timedelta(minutes=10)


@transaction.atomic
def promise_entrusting(*, tenant_id: UUID, now: datetime) -> None:
    """Once it is paid for and we bill it, a subscription's own invoices shall be void. Once for each."""
    row = Subscription.objects.filter(tenant_id=tenant_id).first()
    if row is None or row.billed_until is None or not row.is_collected:
        return
    ref = {"subscription_id": row.provider_subscription_id}
    same = ProviderCommand.objects.filter(
        kind=Kind.ENTRUST, subject_id=row.pk, arguments=ref, provider=row.provider
    )
    if not same.exists():
        commands.promise(
            tenant_id=tenant_id,
            provider=row.provider,
            kind=Kind.ENTRUST,
            subject_id=row.pk,
            now=now,
            arguments=ref,
        )


def entrust(command: ProviderCommand, now: datetime) -> str:
    """Another may have taken the place of the one that was promised (switching.py): then it is that one."""
    row = Subscription.objects.get(pk=command.subject_id)
    is_same = row.provider == command.provider and row.provider_subscription_id
    ref = row.provider_subscription_id if is_same else command.arguments["subscription_id"]
    providers.gateway(command.provider).collect_by_us(ref)
    return "entrusted"


@transaction.atomic
def promise_carry(*, tenant_id: UUID, now: datetime, is_first: bool = False) -> None:
    """Fit what PayPal's next cycles take to what is due; nothing where it never took anything of ours so."""
    row = Subscription.objects.get(tenant_id=tenant_id)
    carries = ProviderCommand.objects.filter(tenant_id=tenant_id, kind=Kind.CARRY)
    if row.provider == providers.PAYPAL and (is_first or carries.exists()):
        commands.promise(
            tenant_id=tenant_id,
            provider=row.provider,
            kind=Kind.CARRY,
            subject_id=row.pk,
            now=now,
        )


def carry(command: ProviderCommand, now: datetime) -> str:
    """Let the provider's next cycles take what is due of this tenant, and no more."""
    row = Subscription.objects.get(tenant_id=command.tenant_id)
    # Another price would take the place of the one that the buyer is just asked to agree to.
    if row.changes.filter(status="pending", expires_at__isnull=False).exists():
        raise ProviderNotYet(provider=command.provider, until=now + _CONSENT_PAUSE)
    due = carried(row)
    if row.provider == command.provider and row.is_collected:
        gateway = providers.gateway(command.provider)
        ref, cycle = row.provider_subscription_id, agreed_cycle(row)
        gateway.carry(subscription_id=ref, amount=due, cycle=cycle)
    return f"carried {due.amount}"


def carried(row: Subscription) -> Money:
    """What is due of the tenant's open invoices."""
    open_ones = Invoice.objects.filter(
        tenant_id=row.tenant_id, currency=row.currency, status=Invoice.Status.OPEN
    )
    return Money(sum(one.amount_due.amount for one in open_ones), row.currency)


@transaction.atomic
def promise_mirror(*, invoice_id: UUID, now: datetime) -> None:
    """Tell the provider what was used, for its own reports, at a price of zero. Once for each invoice."""
    told = ProviderCommand.objects.filter(kind=Kind.MIRROR, subject_id=invoice_id)
    if told.exists():
        return
    invoice = Invoice.objects.get(pk=invoice_id)
    row = Subscription.objects.filter(tenant_id=invoice.tenant_id).first()
    has_usage = invoice.lines.filter(kind__in=["usage", "late_usage"]).exists()
    if row is not None and row.provider_customer_id and has_usage:
        commands.promise(
            tenant_id=invoice.tenant_id,
            provider=row.provider,
            kind=Kind.MIRROR,
            subject_id=invoice.pk,
            now=now,
        )


def mirror(command: ProviderCommand, now: datetime) -> str:
    invoice = Invoice.objects.get(pk=command.subject_id)
    row = Subscription.objects.get(tenant_id=invoice.tenant_id)
    used = (
        invoice.lines.filter(kind__in=["usage", "late_usage"])
        .values("subject", "ends_at")
        .annotate(units=Sum("quantity"))
        .order_by("subject", "ends_at")
    )
    gateway = providers.gateway(command.provider)
    for line in used:
        gateway.mirror_usage(
            customer_id=row.provider_customer_id,
            meter=line["subject"],
            units=line["units"],
            at=min(line["ends_at"] - timedelta(seconds=1), now),
            key=f"{invoice.pk}-{line['subject']}-{line['ends_at']:%Y%m%d}",
        )
    return f"mirrored {len(used)}"
