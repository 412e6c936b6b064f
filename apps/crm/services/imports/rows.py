"""One row of a file, checked and put in Plaza's own form."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from apps.crm.models.people import EXTERNAL_ID_LENGTH, NAME_LENGTH
from apps.crm.services import phones
from apps.crm.services.imports.columns import ORDER_TARGETS, Plan
from config.money import CURRENCIES, LARGEST_MINOR

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LIST = re.compile(r"[;,|]")
_AMOUNT = re.compile(r"[$€£]?\s*([0-9]{1,15})(?:[.,]([0-9]{1,3}))?")
_MAX_QUANTITY = 2**31 - 1
_MAX_CUSTOM = 1_000
_MAX_TAGS = 50
_TAG_LENGTH = 100
# ISO 4217: how many digits the minor unit has, where it is not two.
_MINOR_DIGITS = {
    "BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0,
    "RWF": 0, "UGX": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
    "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Options:
    """What the file does not say of itself."""

    currency: str = "USD"
    phone_region: str | None = None


@dataclass(frozen=True, slots=True)
class CleanRow:
    """A row as it will be merged. `contact` and `order` hold only what the row says, as JSON."""

    external_id: str | None
    email: str | None
    contact: dict[str, Any]
    order: dict[str, Any] | None


class RowRefused(Exception):
    """The row breaks rules; `reasons` says which, one for each column."""

    def __init__(self, reasons: list[str]) -> None:
        self.reasons = reasons
        super().__init__(reasons)


class RowReader:
    """Reads the rows of one file by its plan."""

    def __init__(self, plan: Plan, options: Options) -> None:
        self._plan = plan
        self._options = options
        self._checks: list[tuple[int, str, str, Callable[[str], Any]]] = [
            (position, column, target, self._check_of(target))
            for position, (column, target) in enumerate(
                zip(plan.columns, plan.targets, strict=True)
            )
            if target
        ]

    def read(self, cells: list[str]) -> CleanRow:
        """The row's values. Raises RowRefused with every reason at once."""
        values: dict[str, Any] = {}
        reasons: list[str] = []
        if any(cells[len(self._plan.columns) :]):
            reasons.append(_("More cells than columns."))
        for position, column, target, check in self._checks:
            text = cells[position] if position < len(cells) else ""
            if not text:
                continue
            try:
                values[target] = check(text)
            except ValueError as error:
                reasons.append(f"{column}: {error}")
        if reasons:
            raise RowRefused(reasons)
        return self._assembled(values)

    def _assembled(self, values: dict[str, Any]) -> CleanRow:
        order = self._order({name: values.pop(name) for name in ORDER_TARGETS if name in values})
        external_id = values.pop("external_id", None)
        email = values.pop("email", None) or self._made_up_email(external_id)
        if not email and not external_id:
            raise RowRefused([_("Neither an e-mail address nor an external id.")])
        contact: dict[str, Any] = {}
        if "full_name" in values:
            first, _space, last = values.pop("full_name").partition(" ")
            contact = {"first_name": first, "last_name": last.strip()}
        custom = {name[7:]: values.pop(name) for name in list(values) if name.startswith("fields.")}
        if custom:
            contact["fields"] = custom
        return CleanRow(external_id, email, {**contact, **values}, order)

    def _made_up_email(self, external_id: str | None) -> str | None:
        if not external_id or not self._plan.email_pattern:
            return None
        try:
            return email_address(self._plan.email_pattern.format(external_id=external_id))
        except ValueError as error:
            raise RowRefused([str(error)]) from error

    def _order(self, values: dict[str, Any]) -> dict[str, Any] | None:
        if not values.keys() & {"ordered_on", "amount", "order_external_id"}:
            return None
        missing = {"ordered_on", "amount"} - values.keys()
        if missing:
            raise RowRefused([_("An order needs a date and an amount.")])
        currency = values.get("currency", self._options.currency)
        try:
            amount = minor_units(values["amount"], currency)
        except ValueError as error:
            raise RowRefused([str(error)]) from error
        return {
            "ordered_on": values["ordered_on"],
            "quantity": values.get("quantity", 1),
            "amount_minor": amount,
            "currency": currency,
            "external_id": values.get("order_external_id"),
        }

    def _check_of(self, target: str) -> Callable[[str], Any]:
        checks: dict[str, Callable[[str], Any]] = {
            "email": email_address,
            "external_id": lambda text: line(text, EXTERNAL_ID_LENGTH),
            "order_external_id": lambda text: line(text, EXTERNAL_ID_LENGTH),
            "phone": lambda text: phones.e164(text, region=self._options.phone_region),
            "tags": tag_names,
            "ordered_on": day,
            "quantity": quantity,
            "amount": str,
            "currency": currency_code,
        }
        longest = _MAX_CUSTOM if target.startswith("fields.") else NAME_LENGTH
        return checks.get(target, lambda text: line(text, longest))


def line(text: str, longest: int) -> str:
    """One line of at most `longest` characters. Raises ValueError."""
    if len(text) > longest:
        raise ValueError(_("Longer than {limit} characters.").format(limit=longest))
    if _CONTROL.search(text):
        raise ValueError(_("Control characters and line breaks are not allowed."))
    return text


def email_address(text: str) -> str:
    """The address in lower case. Raises ValueError."""
    try:
        validate_email(line(text, 254))
    except ValidationError as error:
        raise ValueError(_("This is not an e-mail address.")) from error
    return text.lower()


def tag_names(text: str) -> list[str]:
    """Tags parted by commas, semicolons or bars. Raises ValueError."""
    names = [line(name.strip(), _TAG_LENGTH) for name in _LIST.split(text) if name.strip()]
    if len(names) > _MAX_TAGS:
        raise ValueError(_("More than {limit} tags.").format(limit=_MAX_TAGS))
    return names


def day(text: str) -> str:
    """`1997-06-30`, `19970630` or a longer ISO 8601 text as an ISO date. Raises ValueError.

    Days written with slashes are refused: 03/04 is March in one country and April in another.
    """
    try:
        return datetime.fromisoformat(text).date().isoformat()
    except ValueError as error:
        raise ValueError(_("This is not a date like 2026-01-31.")) from error


def quantity(text: str) -> int:
    """A whole number from 1. Raises ValueError."""
    if (
        not text.isascii()
        or not text.isdecimal()
        or not 1 <= int(text[:20]) <= _MAX_QUANTITY
        or len(text) > 20
    ):
        raise ValueError(_("This is not a whole number from 1."))
    return int(text)


def currency_code(text: str) -> str:
    """An ISO 4217 code. Raises ValueError."""
    if text.upper() not in CURRENCIES:
        raise ValueError(_("This is not a currency code like USD."))
    return text.upper()


def minor_units(text: str, currency: str) -> int:
    """`11.77` dollars are 1177. Raises ValueError for what is no amount, or finer than the currency.

    Thousands are not grouped: 1,000 is a thousand in one country and one in another.
    """
    parts = _AMOUNT.fullmatch(text)
    digits = _MINOR_DIGITS.get(currency, 2)
    fraction = (parts[2] or "") if parts else ""
    if parts is None or len(fraction) > max(digits, 2) or fraction[digits:].strip("0"):
        raise ValueError(_("This is not an amount like 1234.50."))
    amount = int(parts[1] + fraction[:digits].ljust(digits, "0"))
    if amount > LARGEST_MINOR:
        raise ValueError(_("This amount is too large."))
    return amount
