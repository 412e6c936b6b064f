"""Policies, functions and triggers of the square: the declared ones to the letter, and no others."""

from collections.abc import Iterator

from tenants.doctor.comparing import Difference, both, differences
from tenants.doctor.findings import Fault, Patient, by_prepare, by_sql
from tenants.doctor.readings import Lines, Reading
from tenants.roles import KEEPER


def policies_undeclared(patient: Patient) -> Iterator[Fault]:
    """Permissive policies are joined by OR: one too many shows rows that the others hide."""
    for one in _policies(patient):
        if not one.wanted:
            table, _, name = one.thing.rpartition(".")
            yield by_sql(
                f"Nobody declares the policy {one.thing}: {one.found}.",
                f"DROP POLICY IF EXISTS {name} ON {table};",
            )


def policies_differing(patient: Patient) -> Iterator[Fault]:
    """What a policy says decides whose rows a tenant sees and writes."""
    for one in _policies(patient):
        if one.found and one.wanted:
            yield by_prepare(
                f"The policy {one.thing} is not as declared: {one.found}; should be: {one.wanted}."
            )


def policies_missing(patient: Patient) -> Iterator[Fault]:
    """Without it those for whom it is see no row of the table."""
    found, _ = both(patient, _of_policies)
    secured = {thing.rpartition(".")[0] for thing, _ in found}
    for one in _policies(patient):
        # A table without any is told by `row_security_off`.
        if not one.found and one.thing.rpartition(".")[0] in secured:
            yield by_prepare(f"The policy {one.thing} is missing: {one.wanted}.")


def functions_undeclared(patient: Patient) -> Iterator[Fault]:
    """Every tenant has these schemas on its path: what nobody declares is called in place of what is meant."""
    for one in _functions(patient):
        if not one.wanted and not _is_loose(one):
            yield Fault(
                f"Nobody declares the function {one.thing}{_as_whom(one.found)}.",
                f"Look into it, then: DROP ROUTINE {one.thing};",
            )


def functions_differing(patient: Patient) -> Iterator[Fault]:
    """Body, owner, path and SECURITY DEFINER: what a tenant may write on the square is this text."""
    for one in _functions(patient):
        if one.found and one.wanted:
            yield by_prepare(f"The function {one.thing} is not as declared: {_changed(one)}.")


def functions_missing(patient: Patient) -> Iterator[Fault]:
    for one in _functions(patient):
        if not one.found:
            yield by_prepare(f"The function {one.thing} is missing.")


def triggers_undeclared(patient: Patient) -> Iterator[Fault]:
    """A trigger runs as whoever writes, the owner too."""
    for one in _triggers(patient):
        if not one.wanted:
            yield Fault(
                f"Nobody declares the trigger {one.thing}: {one.found}.",
                f"Look into it, then: DROP TRIGGER {one.thing.replace(' on ', ' ON ')};",
            )


def triggers_differing(patient: Patient) -> Iterator[Fault]:
    """Changed, or switched off: what it keeps (an invoice as it was issued) is kept no more."""
    for one in _triggers(patient):
        if one.found and one.wanted:
            yield by_prepare(f"The trigger {one.thing} is not as declared: {one.found}.")


def triggers_missing(patient: Patient) -> Iterator[Fault]:
    for one in _triggers(patient):
        if not one.found:
            yield by_prepare(f"The trigger {one.thing} is missing.")


def _triggers(patient: Patient) -> list[Difference]:
    return differences(*both(patient, _of_triggers))


def _of_triggers(reading: Reading) -> Lines:
    return reading.triggers


def _policies(patient: Patient) -> list[Difference]:
    return differences(*both(patient, _of_policies))


def _functions(patient: Patient) -> list[Difference]:
    return differences(*both(patient, _of_functions))


def _of_policies(reading: Reading) -> Lines:
    return reading.policies


def _of_functions(reading: Reading) -> Lines:
    return reading.functions


def _is_loose(one: Difference) -> bool:
    """Told by `definer_loose`."""
    if one.thing.startswith("plaza.") or not _is_definer(one.found):
        return False
    return "SET search_path TO" not in one.found or not one.found.endswith(f" owner {KEEPER}")


def _is_definer(definition: str) -> bool:
    return " SECURITY DEFINER\n" in definition


def _as_whom(definition: str) -> str:
    owner = definition.rpartition(" owner ")[2]
    return f", which runs as {owner}" if _is_definer(definition) else ""


def _changed(one: Difference) -> str:
    """The first line that is not the declared one's."""
    found, wanted = one.found.splitlines(), one.wanted.splitlines()
    for is_there, should_be in zip(found, wanted, strict=False):
        if is_there != should_be:
            return f"{is_there.strip()!r} for {should_be.strip()!r}"
    return "it is longer or shorter"
