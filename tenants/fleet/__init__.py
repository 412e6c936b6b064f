"""Thousands of schemas brought from one version to the next, and how they stand."""

from tenants.fleet.brake import Brake
from tenants.fleet.lock import FleetBusy
from tenants.fleet.migrating import migrate
from tenants.fleet.outcome import FleetOutcome
from tenants.fleet.square import migrate_square
from tenants.fleet.standing import FleetStanding, status
from tenants.fleet.waves import FleetOrders, NoSuchTenant

__all__ = [
    "Brake",
    "FleetBusy",
    "FleetOrders",
    "FleetOutcome",
    "FleetStanding",
    "NoSuchTenant",
    "migrate",
    "migrate_square",
    "status",
]
