"""The neighbour: another tenant at work while it is attacked, with everything that could be stolen."""

import threading
from dataclasses import dataclass, field
from typing import Any

from django.db import Error, connection, transaction

from apps.crm.models import Contact
from config.models import OutboxMessage
from tenants.engine.bindings import owner_binding
from tenants.engine.owner import owner_connection
from tenants.isolation import square_context, tenant_context
from tenants.models import Tenant
from tests import factories
from tests.client import member_of

LOCK = 0x6472696C6C


@dataclass(slots=True)
class Neighbour:
    """A tenant with canaries wherever it has rows, and a session that stays open (`at_work`)."""

    tenant: Tenant
    canary: str
    mark: str
    facts: dict[str, str] = field(default_factory=dict)
    _ready: threading.Event = field(default_factory=threading.Event)
    _leave: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _failed: list[BaseException] = field(default_factory=list)

    @property
    def square_canary(self) -> str:
        """In its rows of public, which the square's own code may read, of every tenant."""
        return self.canary.replace("canary", "public")

    def plant(self) -> None:
        """Canaries in its schema, in its public rows, in the statistics and in a large object."""
        schema, canary = self.tenant.schema_name, self.canary
        table = f"'\"{schema}\".crm_contact'::regclass::oid"
        with tenant_context(self.tenant):
            for number in range(20):  # often, so that it is a "most common value" of the statistics
                factories.ContactFactory(first_name=canary, email=f"b{number}@drill.test")
        with square_context():
            Tenant.objects.filter(pk=self.tenant.pk).update(organisation=self.square_canary)
            self._plant_on_the_square()
        with owner_connection() as owner:
            for statement in (
                f'ANALYZE "{schema}".crm_contact',
                f"SELECT setval(oid, 700777) FROM pg_class WHERE relkind = 'S'"
                f" AND relnamespace = '{schema}'::regnamespace",
            ):
                owner.execute(statement)
            found: Any = owner.execute(
                f"SELECT lo_from_bytea(0, %s), {table}", [canary.encode()]
            ).fetchone()
        self.facts |= {
            "theirs": f'"{schema}".crm_contact', "schema": schema, "id": str(self.tenant.id),
            "mark": self.mark, "lo": str(found[0]), "oid": str(found[1]), "lock": str(LOCK),
            "owner": owner_binding("public").user,
            "database": str(connection.settings_dict["NAME"]),
        }  # fmt: skip

    def _plant_on_the_square(self) -> None:
        canary = self.square_canary
        member = member_of(self.tenant)
        member.person.name = canary
        member.person.set_password(canary)
        member.person.save()
        tenant_id = self.tenant.id
        factories.ApiKeyFactory(tenant=self.tenant, name=canary, created_by=member, key_hash=canary)
        factories.UsageEventFactory(tenant_id=tenant_id, key=canary)
        factories.UsageTotalFactory(tenant_id=tenant_id, meter="contacts", used=20)
        factories.GrantFactory(tenant_id=tenant_id, source=canary)
        factories.HoldFactory(tenant_id=tenant_id, code=canary)
        factories.RefreshTokenFactory(member=member, token_hash=canary)
        OutboxMessage.objects.create(
            task="drill.none", arguments={"canary": canary}, headers={"of": str(tenant_id)}
        )

    def start(self) -> None:
        """Open the session: a statement with the canary in its text, a lock and a prepared transaction's worth."""
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()
        self._ready.wait(30)
        if self._failed:
            raise self._failed[0]

    def stop(self) -> None:
        self._leave.set()
        if self._thread is not None:
            self._thread.join(30)

    def _work(self) -> None:
        try:
            with tenant_context(self.tenant), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
                cursor.execute("DECLARE held CURSOR FOR SELECT first_name FROM crm_contact")
                cursor.execute(f"SELECT pg_backend_pid(), '{self.canary}'")
                self.facts["pid"] = str(cursor.fetchone()[0])
                self._ready.set()
                self._leave.wait()
        except BaseException as error:  # noqa: BLE001 - told by whoever waits for it
            self._failed.append(error)
        finally:
            self._ready.set()
            connection.close()

    def faults(self) -> list[str]:
        """What an attack has done to it: its rows, its session or its next request."""
        found = [] if self._thread is None or self._thread.is_alive() else ["its session was ended"]
        try:
            found += self._next_request()
        except Error as error:
            found.append(f"its next request failed: {error}")
        connection.close()
        return found

    def _next_request(self) -> list[str]:
        with tenant_context(self.tenant):
            names = set(Contact.objects.values_list("first_name", flat=True))
            with transaction.atomic():
                factories.TagFactory(name="written and taken back")
                transaction.set_rollback(True)
        return [] if names == {self.canary} else [f"it reads {names}"]
