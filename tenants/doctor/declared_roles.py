"""Our own roles: their settings, their limits, and who is a member of them, as prepare makes them."""

from collections.abc import Iterator

from tenants.doctor.comparing import both, differences
from tenants.doctor.findings import Fault, Patient, by_prepare, by_sql
from tenants.doctor.readings import Lines, Reading
from tenants.roles import OURS, SIGN_INS


def settings_differing(patient: Patient) -> Iterator[Fault]:
    """A role's own settings hold from its sign-in on: a path, `row_security`, a library to load."""
    found, wanted = both(patient, _settings)
    for one in differences(_by_name(found), _by_name(wanted)):
        role, _, name = one.thing.rpartition(" ")
        if one.wanted:
            is_now = one.found or "not set"
            yield by_prepare(f"{name} of the role {role} is {is_now}, not {one.wanted}.")
        else:
            yield by_sql(
                f"The role {role} has a setting that nobody declares: {name} = {one.found}.",
                f"ALTER ROLE {role} RESET {name};",
            )


def memberships_differing(patient: Patient) -> Iterator[Fault]:
    """Who is a member of one of ours, or of whom ours are: each may do what the other may."""
    for one in differences(*both(patient, _members)):
        parent, _, child = one.thing.partition(" TO ")
        if not one.found:
            yield by_prepare(f"{child} is no member of {parent}.")
        elif one.wanted:
            yield by_sql(
                f"{child} is a member of {parent} with {one.found}; should be {one.wanted}.",
                f"REVOKE {parent} FROM {child}; GRANT {parent} TO {child};",
            )
        elif child not in SIGN_INS or parent in OURS:  # the others: `role_in_foreign_group`
            yield by_sql(
                f"{child} is a member of {parent}, which nothing declares.",
                f"REVOKE {parent} FROM {child};",
            )


def limits_differing(patient: Patient) -> Iterator[Fault]:
    """A limit of connections or of time stops every tenant at once."""
    for one in differences(*both(patient, _attributes)):
        if one.found and one.wanted:  # one that is not there: `role_missing`
            yield by_sql(
                f"The role {one.thing} has {one.found}; should be {one.wanted}.",
                f"ALTER ROLE {one.thing} {one.wanted};",
            )


def _by_name(lines: Lines) -> Lines:
    """("plaza_square search_path", "public, ext") of ("plaza_square", "search_path=public, ext")."""
    return frozenset(
        (f"{role} {setting.partition('=')[0]}", setting.partition("=")[2])
        for role, setting in lines
    )


def _settings(reading: Reading) -> Lines:
    return reading.settings


def _members(reading: Reading) -> Lines:
    return reading.members


def _attributes(reading: Reading) -> Lines:
    return reading.attributes
