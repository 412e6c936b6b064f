"""Plans as a page shows them: names in the reader's language, a price, what one adds to the one before."""

from collections.abc import Container
from dataclasses import dataclass

from django.utils.functional import Promise

from apps.portal.labels import FEATURES, METERS
from apps.portal.price_words import price_lines
from billing import catalogue
from billing.catalogue import PlanSpec, PriceSpec
from config.needs import Feature, Meter

INTERVAL = "month"
# A meter whose work a plan must switch on first.
_METER_FEATURES = {Meter.CAMPAIGNS: Feature.CAMPAIGNS}


@dataclass(frozen=True, slots=True)
class Offer:
    """One plan. A limit of None is unlimited."""

    spec: PlanSpec
    price: PriceSpec | None
    limits: list[tuple[Promise, int | None]]
    features: list[Promise]
    prices: list[str]  # of seats, use above the limits and add-ons, a line each
    below: str  # the name of the plan before, all of which this one has; empty for the first

    @property
    def contacts(self) -> int | None:
        return self.spec.limits[Meter.CONTACTS]


def is_of_use(meter: Meter, *, features: Container[str], limit: int | None) -> bool:
    """Whether a plan with these features and this limit lets anybody use anything of the meter."""
    needed = _METER_FEATURES.get(meter)
    return limit != 0 and (needed is None or needed in features)


def offers(currency: str) -> list[Offer]:
    """Every plan in order of price, each with the features that it adds."""
    made: list[Offer] = []
    below = frozenset[Feature]()
    for spec in catalogue.plans():
        added = [FEATURES[feature] for feature in Feature if feature in spec.features - below]
        made.append(
            Offer(
                spec=spec,
                price=spec.price(currency=currency, interval=INTERVAL),
                limits=[
                    (METERS[meter], spec.limits[meter])
                    for meter in Meter
                    if is_of_use(meter, features=spec.features, limit=spec.limits[meter])
                ],
                features=added,
                prices=price_lines(spec, currency=currency, interval=INTERVAL),
                below=made[-1].spec.name if made else "",
            )
        )
        below = spec.features
    return made


def known_currency(asked: str | None) -> str:
    """`asked` if prices are stated in it, else the first of ours."""
    return asked if asked in catalogue.CURRENCIES else catalogue.CURRENCIES[0]
