"""Archives taken apart and put together again otherwise; and a look at all that an attempt could leave."""

import hashlib
import json
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage

from tenants.archives import manifest as manifests
from tenants.engine.owner import owner_connection
from tenants.models import Erasure, Person, Restoration, Tenant
from tests.tenants.endings import checksum, imported


class Forgery:
    """An archive taken apart, to be put together again otherwise, with sizes, checksums and seal made good."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with zipfile.ZipFile(path) as zipped:
            self.parts = {name: zipped.read(name) for name in zipped.namelist()}
        self.manifest: dict[str, Any] = json.loads(self.parts.pop("manifest.json"))

    def replace(self, name: str, body: bytes, **facts: Any) -> None:
        self.parts[name] = body
        known = self.manifest["entries"].get(name, {"rows": None, "columns": []})
        sums = {"size": len(body), "sha256": hashlib.sha256(body).hexdigest()}
        self.manifest["entries"][name] = known | sums | facts

    def sealed(self) -> Path:
        self.manifest.pop("seal", None)
        self.manifest["seal"] = manifests._seal(self.manifest)
        return self.written()

    def sealed_as(self, name: str) -> Path:
        """The same in another file, which leaves the first one as it was."""
        self.path = self.path.with_name(name)
        return self.sealed()

    def written(self) -> Path:
        with zipfile.ZipFile(self.path, "w", zipfile.ZIP_DEFLATED) as zipped:
            for name, body in self.parts.items():
                zipped.writestr(name, body)
            zipped.writestr("manifest.json", json.dumps(self.manifest))
        return self.path


def refused(path: Path, refusal: type[Exception], says: str | None = None) -> None:
    """It is refused so, and neither a tenant, a schema, a role nor a person came of it."""
    before = state()
    with pytest.raises(refusal, match=says):
        imported(path)
    assert state() == before


def state() -> dict[str, Any]:
    with closing(owner_connection()) as owner:
        counts = owner.execute(
            "SELECT (SELECT count(*) FROM pg_namespace WHERE nspname LIKE 't\\_%'),"
            " (SELECT count(*) FROM public.tenants_domain)"
        ).fetchone()
    place = Path(default_storage.location)  # type: ignore[attr-defined]
    return {
        "counts": counts,
        "files": sorted(str(path) for path in place.rglob("*")),
        "people": sorted(Person.objects.values_list("email", "kind")),
        "tenants": {tenant.slug: checksum(tenant) for tenant in Tenant.objects.all()},
        "rows": (Erasure.objects.count(), Restoration.objects.count()),
    }
