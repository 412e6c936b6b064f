"""`manage.py tenant export|import`: a tenant as one file, and a new tenant from it."""

from pathlib import Path

from django.core.management.base import CommandError
from django.utils import timezone

from billing.management.tenant_named import Actions, Options, action, named, tell, telling
from billing.services import copies
from config.management.output import JsonCommand


def add(actions: Actions) -> None:
    """Copies of a tenant."""
    export = action(actions, "export", "write a tenant's archive", _export)
    export.add_argument("slug")
    export.add_argument(
        "--to", required=True, type=Path, metavar="FILE", help="overwritten if there"
    )
    restore = action(actions, "import", "restore an archive as a new tenant", _import)
    restore.add_argument("file", type=Path)
    restore.add_argument("--slug", required=True, help="of the new tenant")
    restore.add_argument("--organisation", default="", help="else the archive's")
    restore.add_argument("--plan", default="starter", help="a paid one begins as a trial")
    restore.add_argument(
        "--foreign", action="store_true", help="trust an archive that was made elsewhere"
    )


def _export(command: JsonCommand, options: Options) -> None:
    to: Path = options["to"]
    tenant = named(options["slug"])
    if to.is_dir():
        raise CommandError(f"{to} is a folder: name a file in it, like {to / tenant.slug}.zip")
    try:
        with telling(command) as say:
            manifest = copies.export_to(tenant_id=tenant.id, to=to, now=timezone.now(), tell=say)
    except OSError as error:
        raise CommandError(f"{to}: {error.strerror or error}.") from error
    rows = sum(entry.rows or 0 for entry in manifest.entries.values())
    size = to.stat().st_size
    command.report(
        f"{tenant.slug} is in {to}: {rows} rows, {len(manifest.entries)} entries, {size} bytes",
        slug=tenant.slug,
        path=str(to),
        rows=rows,
        entries=len(manifest.entries),
        size_bytes=size,
        schema_version=manifest.schema_version,
    )


def _import(command: JsonCommand, options: Options) -> None:
    path: Path = options["file"]
    try:
        found = copies.look_into(
            path=path,
            slug=options["slug"],
            plan=options["plan"],
            is_foreign_allowed=options["foreign"],
        )
        _warn(command, found)
        with telling(command) as say:
            tenant = copies.import_from(
                path=path,
                slug=options["slug"],
                organisation=options["organisation"],
                plan=options["plan"],
                is_foreign_allowed=options["foreign"],
                now=timezone.now(),
                tell=say,
            )
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror or error}.") from error
    facts = {"above_plan": found.above} if found.above else {}
    tell(command, tenant, **facts)


def _warn(command: JsonCommand, found: copies.Content) -> None:
    """Before the work: what is too much for the plan is kept, and no more of it can be added."""
    for excess in found.above:
        text = (
            f"Warning: the archive holds {excess['used']} {excess['meter']}, and the plan {found.plan}"
            f" allows {excess['limit']}: they are kept, and no more can be added."
        )
        command.stderr.write(text, command.style.WARNING)
    if found.above and found.fitting_plan:
        command.stderr.write(
            f"The plan {found.fitting_plan} has room: --plan {found.fitting_plan}",
            command.style.WARNING,
        )
