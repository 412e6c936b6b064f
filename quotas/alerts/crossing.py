"""The writer's part: a transaction that takes a total across a threshold promises to have it looked at."""

from config.celery import later
from config.needs import Meter
from quotas.alerts.thresholds import is_crossed
from quotas.entitlements import Snapshot


def promise_alerts(found: Snapshot, *, meter: Meter, quantity: int, used: int) -> None:
    """Of `used` units, `quantity` were taken just now. No query, but for the outbox row of a crossing."""
    if is_crossed(limit=found.limit(meter), used=used, quantity=quantity):
        later("quotas.evaluate_usage", tenant_id=str(found.tenant_id), meter=meter.value)
