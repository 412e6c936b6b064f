"""Phone numbers as E.164."""

import phonenumbers
from django.utils.translation import gettext as _
from phonenumbers import NumberParseException, PhoneNumberFormat

from config.errors import ValidationFailed

REGIONS = frozenset(phonenumbers.SUPPORTED_REGIONS)


class NotAPhone(ValueError):
    """The text is no phone number that could be dialled; the message says why."""


def e164(text: str, *, region: str | None = None) -> str:
    """`text` as E.164, like `+525512345678`. Raises NotAPhone.

    A number without `+` is read as dialled in `region` (ISO 3166, like MX). What is asked is a known
    country and a possible length: whether a carrier serves the number is another question.
    """
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException as error:
        if error.error_type == NumberParseException.INVALID_COUNTRY_CODE and not region:
            raise NotAPhone(_("Write it with + and the country code, or name a region.")) from error
        raise NotAPhone(_("This is not a phone number.")) from error
    if not phonenumbers.is_possible_number(number):
        raise NotAPhone(_("No phone number of this country has this length."))
    return str(phonenumbers.format_number(number, PhoneNumberFormat.E164))


def checked(text: str, *, region: str | None = None, field: str = "phone") -> str:
    """The same for a field of a form. Raises ValidationFailed."""
    try:
        return e164(text, region=region)
    except NotAPhone as error:
        raise ValidationFailed(errors={field: [str(error)]}) from error
