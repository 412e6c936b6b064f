"""Grants outside the tenants' schemas: no more than the packages' `rights.py` say, and no less."""

from collections.abc import Iterator

from django.apps import apps
from django.conf import settings

from config.rights import CLOSED_FUNCTIONS
from tenants.doctor.comparing import both, by_grantee
from tenants.doctor.findings import Fault, Patient, by_prepare, by_sql
from tenants.doctor.readings import Line, Lines, Reading
from tenants.preparing import CALLERS, SPEAKERS
from tenants.roles import GROUP, OURS

# Of these the clean room shows what was there before: rights in pg_catalog are a superuser's to give.
_NOT_RENDERED = ("LANGUAGE ", "PARAMETER ", "LARGE OBJECT ", "FOREIGN SERVER ")


def unexpected(patient: Patient) -> Iterator[Fault]:
    """A right of our roles, of PUBLIC or of a stranger that nobody declares: a door in the wall."""
    found, wanted = both(patient, _grants)
    allowed = _ours(wanted) | _in_catalog(patient, anyhow=True)
    functions = dict(both(patient, _functions)[1])
    for thing, role, privileges in by_grantee(found - allowed):
        if _is_told_elsewhere(thing, role, privileges, functions):
            continue
        what = f"{role} has {', '.join(privileges)} on {thing}, which nothing declares."
        cure = _revoke(thing, role, privileges)
        if role == "PUBLIC" or role in OURS:
            yield by_sql(what, cure)
        else:
            # A stranger may be somebody's backup or report: whose, a person knows.
            yield Fault(what, cure)


def lacking(patient: Patient) -> Iterator[Fault]:
    """A right that is declared and not there: requests of every tenant, or the square's, fail."""
    found, wanted = both(patient, _grants)
    if not wanted:
        return
    required = _ours(wanted) | _in_catalog(patient, anyhow=False)
    known, functions = _known_tables(), dict(both(patient, _functions)[0])
    for thing, role, privileges in by_grantee(required - found):
        if _is_there(thing, known, functions):
            yield by_prepare(f"{role} lacks {', '.join(privileges)} on {thing}.")


def _is_there(thing: str, known: set[str], functions: dict[str, str]) -> bool:
    """Nothing of ours asks for a table that no app has; and of a function that is missing another check tells."""
    kind, _, name = thing.partition(" ")
    if kind == "ROUTINE" and name.startswith("plaza."):
        return name in functions
    if not name.startswith("public."):
        return True
    name = name.removeprefix("public.")
    return name in known if kind == "TABLE" else any(name.startswith(f"{one}_") for one in known)


def _grants(reading: Reading) -> Lines:
    return reading.grants


def _functions(reading: Reading) -> Lines:
    return reading.functions


def _ours(lines: Lines) -> Lines:
    return frozenset(line for line in lines if _is_rendered(line))


def _is_rendered(line: Line) -> bool:
    thing, detail = line
    return not thing.startswith(_NOT_RENDERED) and detail.partition(":")[0] in OURS


def _in_catalog(patient: Patient, *, anyhow: bool) -> Lines:
    """What a superuser gives in place of PUBLIC's rights; needed only where PUBLIC has them no more."""
    rows = patient.ask(
        """
        SELECT 'ROUTINE ' || (pg_identify_object('pg_proc'::regclass, f.oid, 0)).identity, caller || ': EXECUTE'
          FROM unnest(%(closed)s::regprocedure[]) AS f (oid) CROSS JOIN unnest(%(callers)s::text[]) AS caller
         WHERE %(anyhow)s OR NOT has_function_privilege('public', f.oid, 'EXECUTE')
         UNION ALL
        SELECT 'LANGUAGE plpgsql', speaker || ': USAGE' FROM unnest(%(speakers)s::text[]) AS speaker
         WHERE %(anyhow)s OR NOT has_language_privilege('public', 'plpgsql', 'USAGE')
        """,
        closed=[f"pg_catalog.{name}" for name in CLOSED_FUNCTIONS],
        callers=[*CALLERS],
        speakers=[*SPEAKERS],
        anyhow=anyhow,
    )
    return frozenset((thing, detail) for thing, detail in rows)


def _is_told_elsewhere(
    thing: str, role: str, privileges: list[str], functions: dict[str, str]
) -> bool:
    """By `public_may`, or with the function that nobody declares at all."""
    kind, _, name = thing.partition(" ")
    if kind == "ROUTINE" and name.startswith(("plaza.", "public.")):
        return name not in functions
    if kind == "ROUTINE":
        return role == GROUP and _is_closed(name)
    if role != "PUBLIC":
        return False
    return (kind == "DATABASE" and privileges == ["TEMPORARY"]) or (
        thing == "SCHEMA public" and privileges == ["CREATE"]
    )


def _is_closed(identity: str) -> bool:
    name = identity.removeprefix("pg_catalog.").partition("(")[0]
    return any(closed.startswith(f"{name}(") for closed in CLOSED_FUNCTIONS)


def _known_tables() -> set[str]:
    shared = [each for each in apps.get_app_configs() if each.name in settings.SHARED_APPS]
    models = [model for each in shared for model in each.get_models(include_auto_created=True)]
    return {"django_migrations", *(model._meta.db_table for model in models)}  # noqa: SLF001


def _revoke(thing: str, role: str, privileges: list[str]) -> str:
    grantee = "PUBLIC" if role == "PUBLIC" else f'"{role}"'
    column = ""
    if thing.startswith("COLUMN "):
        table, _, column = thing.removeprefix("COLUMN ").partition(" (")
        thing, column = f"TABLE {table}", f" ({column}"
    # The right goes with its option; the option alone leaves the right.
    option = "GRANT OPTION FOR "
    rights = [name for name in privileges if not name.startswith(option)]
    options = [name.removeprefix(option) for name in privileges if name not in rights]
    taken = [(option, [name for name in options if name not in rights]), ("", rights)]
    return " ".join(
        f"REVOKE {only}{', '.join(name + column for name in names)} ON {thing} FROM {grantee};"
        for only, names in taken
        if names
    )
