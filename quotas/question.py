"""What the gate is asked."""

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from config.needs import Needs
from quotas.costs import ONE_UNIT, Cost
from tenants.identity.caller import Caller
from tenants.models import Tenant
from tenants.snapshots import TenantSnapshot


@dataclass(frozen=True, slots=True)
class Question:
    """One request at one tenant. `address` is the client's, `method` the HTTP one.

    `snapshot` is what the asker knows of the tenant. `holder` names it among what runs at once.
    """

    snapshot: TenantSnapshot
    needs: Needs
    caller: Caller
    method: str
    address: str
    now: datetime
    holder: str
    cost: Cost = ONE_UNIT

    @property
    def tenant(self) -> Tenant:
        return cast("Tenant", self.snapshot.tenant)
