"""Prices at the providers: what the catalogue asks for, what a provider has, and which plan a price is of."""

from dataclasses import dataclass

from django.db import transaction

from billing import catalogue
from billing.catalogue import PriceSpec
from billing.models import ProviderPrice
from billing.providers.base import KnownPrice
from billing.providers.gateways import Gateway
from billing.refusals import PlanNotForSale


class UnknownPrice(LookupError):
    """A provider's price that no plan of ours has: run `manage.py plans sync` for this account."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One price of the catalogue against the provider's; `known` is None where it has none."""

    provider: str
    spec: PriceSpec
    known: KnownPrice | None

    @property
    def before_minor(self) -> int | None:
        return self.known.amount_minor if self.known else None

    @property
    def is_change(self) -> bool:
        return self.before_minor != self.spec.amount_minor


def differences(gateway: Gateway) -> list[Difference]:
    """Every price of the catalogue that the provider can take, in order of the catalogue."""
    specs = [
        price
        for plan in catalogue.plans()
        for price in plan.prices
        if price.currency in gateway.currencies
    ]
    known = gateway.known_prices(specs)
    return [Difference(gateway.name, spec, known.get(spec.lookup_key)) for spec in specs]


def bring(gateway: Gateway, difference: Difference) -> ProviderPrice:
    """Make the provider's price equal the catalogue's, and remember its id. Harmless twice."""
    spec, known = difference.spec, difference.known
    if known is None or difference.is_change:
        known = gateway.create_price(spec, plan_name=catalogue.plan(spec.plan).name)
    return _remember(gateway.name, spec, known)


@transaction.atomic
def _remember(provider: str, spec: PriceSpec, known: KnownPrice) -> ProviderPrice:
    same = {
        "provider": provider,
        "plan": spec.plan,
        "currency": spec.currency,
        "interval": spec.interval,
    }
    superseded = ProviderPrice.objects.filter(**same, is_current=True)
    superseded.exclude(price_id=known.price_id).update(is_current=False)
    facts = {"amount_minor": known.amount_minor, "product_id": known.product_id, "is_current": True}
    price, _ = ProviderPrice.objects.update_or_create(
        provider=provider, price_id=known.price_id, defaults=same | facts
    )
    return price


def current_price(*, provider: str, plan: str, currency: str, interval: str) -> ProviderPrice:
    """What a new subscriber pays. Raises PlanNotForSale."""
    price = ProviderPrice.objects.filter(
        provider=provider, plan=plan, currency=currency, interval=interval, is_current=True
    ).first()
    if price is None:
        raise PlanNotForSale(plan=plan, provider=provider, currency=currency, interval=interval)
    return price


def price_of(*, provider: str, price_id: str) -> ProviderPrice:
    """The price, also a superseded one, that a provider's id names. Raises UnknownPrice."""
    price = ProviderPrice.objects.filter(provider=provider, price_id=price_id).first()
    if price is None:
        raise UnknownPrice(f"{provider} {price_id}")
    return price
