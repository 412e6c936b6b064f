"""Plans as a page shows them: names in the reader's language, a price, what one adds to the one before."""

from dataclasses import dataclass

from django.utils.functional import Promise

from apps.portal.labels import FEATURES, METERS
from billing import catalogue
from billing.catalogue import PlanSpec, PriceSpec
from config.needs import Feature, Meter

INTERVAL = "month"


@dataclass(frozen=True, slots=True)
class Offer:
    """One plan. A limit of None is unlimited."""

    spec: PlanSpec
    price: PriceSpec | None
    limits: list[tuple[Promise, int | None]]
    features: list[Promise]

    @property
    def contacts(self) -> int | None:
        return self.spec.limits[Meter.CONTACTS]


def offers(currency: str) -> list[Offer]:
    """Every plan in order of price, each with the features that it adds."""
    made, below = [], frozenset[Feature]()
    for spec in catalogue.plans():
        added = [FEATURES[feature] for feature in Feature if feature in spec.features - below]
        made.append(
            Offer(
                spec=spec,
                price=spec.price(currency=currency, interval=INTERVAL),
                limits=[(METERS[meter], spec.limits[meter]) for meter in Meter],
                features=added,
            )
        )
        below = spec.features
    return made


def known_currency(asked: str | None) -> str:
    """`asked` if prices are stated in it, else the first of ours."""
    return asked if asked in catalogue.CURRENCIES else catalogue.CURRENCIES[0]
