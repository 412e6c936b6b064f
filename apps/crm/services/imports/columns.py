"""Which column means what: suggested from its name in English or Spanish, or said by the client."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

from django.utils.translation import gettext as _

from apps.crm.services.imports.tables import MAX_COLUMNS, Table, refused
from config.errors import ValidationFailed

# What a column may be mapped to, and the names by which it is recognised.
TARGETS: dict[str, str] = {
    "email": "email e_mail mail email_address correo correo_electronico direccion_de_correo",
    "external_id": "external_id id customer_id client_id contact_id user_id customer id_cliente"
    " cliente_id cliente id_externo codigo_cliente",
    "first_name": "first_name firstname given_name nombre nombres",
    "last_name": "last_name lastname surname family_name apellido apellidos",
    "full_name": "name full_name contact_name nombre_completo nombre_y_apellidos",
    "phone": "phone phone_number telephone mobile cell telefono tel celular movil",
    "company": "company company_name organisation organization empresa compania",
    "tags": "tags tag labels etiquetas etiqueta",
    "ordered_on": "ordered_on date order_date purchase_date fecha fecha_de_compra fecha_pedido",
    "quantity": "quantity qty units number_of_cds cantidad unidades",
    "amount": "amount total dollar_value price order_total importe monto",
    "currency": "currency moneda divisa",
    "order_external_id": "order_id order_number order_external_id pedido numero_de_pedido",
}
ORDER_TARGETS = frozenset({"ordered_on", "quantity", "amount", "currency", "order_external_id"})
_ORDER_NEEDS = frozenset({"ordered_on", "amount"})
_IDENTITIES = frozenset({"email", "external_id"})
_CUSTOM = re.compile(r"fields\.[A-Za-z0-9_]{1,64}")
_BY_NAME = {name: target for target, names in TARGETS.items() for name in names.split()}

# The CDNOW set (Fader & Hardie): purchases of customers who have a number and no name.
_CDNOW_HEADER = ["customer_id", "date", "number_of_cds", "dollar_value"]
_CDNOW_TARGETS = ["external_id", "ordered_on", "quantity", "amount"]
_CDNOW_CELLS = tuple(map(re.compile, (r"\d{1,12}", r"\d{8}", r"\d{1,6}", r"\d+\.\d{2}")))
CDNOW_EMAILS = "cdnow-{external_id}@example.test"
# Each part excludes what follows it, so that the time grows with the length and not with its square.
_VALUE_LIKE = re.compile(r"[\d\s.,:/+()$€-]+|[^\s@]+@[^\s@]+")
_LONGEST_NAME = 200
_SHOWN_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class Plan:
    """What to read from each column: `targets` by position, None for a column that is left out."""

    columns: list[str]
    targets: list[str | None]
    has_header: bool
    email_pattern: str = ""

    @property
    def mapping(self) -> dict[str, str]:
        pairs = zip(self.columns, self.targets, strict=True)
        return {column: target for column, target in pairs if target}

    @property
    def ignored_columns(self) -> list[str]:
        pairs = zip(self.columns, self.targets, strict=True)
        return [column for column, target in pairs if target is None]


def plan_of(table: Table, mapping: Mapping[str, str | None] | None = None) -> Plan:
    """The plan for a table: the client's `{column: target}` if given, else what the names suggest.

    Raises ValidationFailed when that tells no contact apart, or names what is not there.
    """
    if mapping is None and _is_cdnow(table):
        has_header = table.sample[0] == _CDNOW_HEADER
        return Plan(_CDNOW_HEADER, [*_CDNOW_TARGETS], has_header, CDNOW_EMAILS)
    has_header = _is_header(table.sample[0])
    columns = _column_names(table, has_header=has_header)
    targets = _suggested(columns) if mapping is None else _mapped(columns, mapping)
    plan = Plan(columns, targets, has_header)
    _refuse_useless(plan)
    return plan


def _is_cdnow(table: Table) -> bool:
    if not table.is_spaced:
        return False
    header, *others = table.sample
    rows = others if header == _CDNOW_HEADER else table.sample
    return bool(rows) and all(
        len(cells) == len(_CDNOW_CELLS)
        and all(shape.fullmatch(cell) for shape, cell in zip(_CDNOW_CELLS, cells, strict=True))
        for cells in rows
    )


def _is_header(cells: list[str]) -> bool:
    """Names, not values: no number, date or address among them."""
    named = [cell for cell in cells if cell]
    return not any(_VALUE_LIKE.fullmatch(cell[:_LONGEST_NAME]) for cell in named)


def _column_names(table: Table, *, has_header: bool) -> list[str]:
    width = max(len(cells) for cells in table.sample)
    given = table.sample[0] if has_header else [""] * width
    names: list[str] = []
    for position, name in enumerate(given, start=1):
        wanted = name[:100] or f"column_{position}"
        names.append(f"{wanted} ({position})" if wanted in names else wanted)
    return names


def normal_name(name: str) -> str:
    """A column's name without case, accents and punctuation: `Correo electrónico` is `correo_electronico`."""
    # Cut first: sorting a long run of accents takes the square of its length.
    plain = unicodedata.normalize("NFKD", name[:_LONGEST_NAME].casefold())
    letters = "".join(char for char in plain if not unicodedata.combining(char))
    return re.sub(r"[^a-z0-9]+", "_", letters).strip("_")


def _suggested(columns: list[str]) -> list[str | None]:
    targets: list[str | None] = []
    for column in columns:
        target = _BY_NAME.get(normal_name(column))
        targets.append(target if target not in targets else None)
    if not _ORDER_NEEDS.issubset(targets):
        # A lone date or total is not a purchase.
        targets = [None if target in ORDER_TARGETS else target for target in targets]
    return targets


def _mapped(columns: list[str], mapping: Mapping[str, str | None]) -> list[str | None]:
    by_name = {normal_name(column): position for position, column in enumerate(columns)}
    by_name |= {str(position): position - 1 for position in range(1, len(columns) + 1)}
    targets: list[str | None] = [None] * len(columns)
    problems: list[str] = []
    for column, target in islice(mapping.items(), MAX_COLUMNS):
        position = by_name.get(normal_name(column))
        if position is None:
            shown = ", ".join(columns[:30])
            problems.append(
                _("The file has no column “{column}”. It has: {columns}.").format(
                    column=column[:100], columns=shown
                )
            )
        elif target and target not in TARGETS and not _CUSTOM.fullmatch(target):
            problems.append(_("“{target}” is nothing to map to.").format(target=target[:100]))
        elif target and target in targets:
            problems.append(_("Two columns are mapped to “{target}”.").format(target=target))
        else:
            targets[position] = target or None
    if problems:
        raise ValidationFailed(errors={"mapping": problems[:_SHOWN_PROBLEMS]})
    return targets


def _refuse_useless(plan: Plan) -> None:
    wanted = {target for target in plan.targets if target}
    if not wanted & _IDENTITIES:
        raise refused(
            _(
                "No column tells contacts apart: an “email” or an “external_id” is needed. "
                "Found: {columns}. Name them by “mapping”."
            ).format(columns=", ".join(plan.columns[:30]))
        )
    if wanted & ORDER_TARGETS and not wanted >= _ORDER_NEEDS:
        raise ValidationFailed(
            errors={"mapping": [_("Orders need both “ordered_on” and “amount”.")]}
        )
