"""What the names in a schema of some version ought to be: those that the template of that version made."""

from tenants.fleet import names
from tenants.fleet.ledger import Owner
from tenants.rendering import replay
from tenants.template import TEMPLATE_SCHEMA, version_of

_SCRATCH = "plaza_fleet_scratch"


class Expected:
    """Fingerprints by version. Made before the template is refreshed: it mostly stands at the version asked for."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        found = names.fingerprints(owner, [TEMPLATE_SCHEMA])
        with owner.cursor() as cursor:
            version = version_of(cursor, TEMPLATE_SCHEMA)
        self._known: dict[str, str | None] = {version: found.get(TEMPLATE_SCHEMA)}

    def fingerprint(self, version: str) -> str | None:
        """None where no template of that version is kept."""
        if version not in self._known:
            self._known[version] = self._replayed(version)
        return self._known[version]

    def _replayed(self, version: str) -> str | None:
        row = self._owner.execute(
            "SELECT sql FROM public.tenants_template WHERE version = %s", [version]
        ).fetchone()
        if row is None:
            return None
        with self._owner.transaction(force_rollback=True), self._owner.cursor() as cursor:
            replay(cursor, schema=_SCRATCH, pattern_sql=str(row[0]))
            return names.fingerprints(self._owner, [_SCRATCH])[_SCRATCH]
