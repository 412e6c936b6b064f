"""Factories for every model. Rows of a tenant are made inside `tenant_context(...)`."""

from datetime import date

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from apps.crm.models import (
    Company,
    Consent,
    Contact,
    ContactTag,
    Import,
    ImportRow,
    ImportRowError,
    Order,
    PrivacyRequest,
    RetentionRule,
    Tag,
)
from tests.factories_books import *  # noqa: F403
from tests.factories_campaigns import *  # noqa: F403
from tests.factories_endings import *  # noqa: F403
from tests.factories_messages import *  # noqa: F403
from tests.factories_money import *  # noqa: F403
from tests.factories_people import *  # noqa: F403
from tests.factories_providers import *  # noqa: F403
from tests.factories_sales import *  # noqa: F403
from tests.factories_schemas import *  # noqa: F403
from tests.factories_sign_ins import *  # noqa: F403
from tests.factories_subscriptions import *  # noqa: F403
from tests.factories_trail import *  # noqa: F403


class CompanyFactory(DjangoModelFactory[Company]):
    class Meta:
        model = Company

    name = factory.Sequence(lambda n: f"Company {n}")


class TagFactory(DjangoModelFactory[Tag]):
    class Meta:
        model = Tag

    name = factory.Sequence(lambda n: f"tag {n}")


class ContactFactory(DjangoModelFactory[Contact]):
    class Meta:
        model = Contact

    email = factory.Sequence(lambda n: f"contact-{n}@example.test")
    first_name = "Ada"
    last_name = factory.Sequence(lambda n: f"Byron {n}")


class ContactTagFactory(DjangoModelFactory[ContactTag]):
    class Meta:
        model = ContactTag

    contact = factory.SubFactory(ContactFactory)
    tag = factory.SubFactory(TagFactory)


class ConsentFactory(DjangoModelFactory[Consent]):
    class Meta:
        model = Consent

    contact = factory.SubFactory(ContactFactory)
    channel = Consent.Channel.EMAIL
    purpose = Consent.Purpose.MARKETING
    status = Consent.Status.GRANTED
    source = "form"
    recorded_at = factory.LazyFunction(timezone.now)


class PrivacyRequestFactory(DjangoModelFactory[PrivacyRequest]):
    class Meta:
        model = PrivacyRequest

    law = PrivacyRequest.Law.GDPR
    kind = PrivacyRequest.Kind.ACCESS
    received_on = date(2026, 1, 31)
    due_on = date(2026, 2, 28)


class RetentionRuleFactory(DjangoModelFactory[RetentionRule]):
    class Meta:
        model = RetentionRule

    data_class = "refused_import_rows"
    days = 7
    changed_at = factory.LazyFunction(timezone.now)


class OrderFactory(DjangoModelFactory[Order]):
    class Meta:
        model = Order

    contact = factory.SubFactory(ContactFactory)
    ordered_on = date(2026, 1, 31)
    quantity = 1
    amount_minor = 1_177
    currency = "USD"


class ImportFactory(DjangoModelFactory[Import]):
    """One that has been taken and waits for its worker."""

    class Meta:
        model = Import

    file_name = factory.Sequence(lambda n: f"contacts-{n}.csv")
    file_path = factory.Sequence(lambda n: f"tests/imports/{n}")
    file_format = "csv"
    heartbeat_at = factory.LazyFunction(timezone.now)


class ImportRowFactory(DjangoModelFactory[ImportRow]):
    class Meta:
        model = ImportRow

    job = factory.SubFactory(ImportFactory)
    row_number = factory.Sequence(lambda n: n + 1)
    email = factory.Sequence(lambda n: f"row-{n}@example.test")
    contact = factory.LazyFunction(dict)
    raw = factory.LazyAttribute(lambda row: [row.email])


class ImportRowErrorFactory(DjangoModelFactory[ImportRowError]):
    class Meta:
        model = ImportRowError

    job = factory.SubFactory(ImportFactory)
    row_number = factory.Sequence(lambda n: n + 1)
    reasons = factory.LazyFunction(lambda: ["email: This is not an e-mail address."])
    raw = factory.LazyFunction(lambda: ["not-an-address"])
