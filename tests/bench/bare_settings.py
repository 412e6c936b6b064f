"""Plaza's views with neither tenancy nor gate nor wall: one tenant, known beforehand, on a lasting connection."""

from config.settings import DATABASES
from config.settings import MIDDLEWARE as _SHIPPED
from tests.bench.open_settings import *  # noqa: F403

DATABASES["default"]["ENGINE"] = "tests.bench.open_engine"
_LEFT_OUT = {
    "tenants.identity.middleware.CallerMiddleware",
    "quotas.middleware.Gate",
    "tenants.middleware.ReplicaMiddleware",
}
MIDDLEWARE = [
    "tests.bench.bare.OneTenant" if each == "tenants.middleware.TenantMiddleware" else each
    for each in _SHIPPED
    if each not in _LEFT_OUT
]
