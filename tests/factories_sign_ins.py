"""Factories of what people sign in by, and of where they are signed in."""

from datetime import timedelta

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from tenants.models import Authenticator, MailedProof, RecoveryCode, SignIn
from tests.factories_people import MemberFactory, PersonFactory


class MailedProofFactory(DjangoModelFactory[MailedProof]):
    class Meta:
        model = MailedProof

    kind = MailedProof.Kind.PASSWORD_RESET
    person = factory.SubFactory(PersonFactory)
    secret_hash = factory.Sequence(lambda n: f"{n:064d}")
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(hours=1))


class SignInFactory(DjangoModelFactory[SignIn]):
    class Meta:
        model = SignIn

    member = factory.SubFactory(MemberFactory)
    kind = SignIn.Kind.SESSION
    created_at = factory.LazyFunction(timezone.now)
    last_seen_at = factory.LazyFunction(timezone.now)


class AuthenticatorFactory(DjangoModelFactory[Authenticator]):
    """One that nobody has confirmed yet, and whose secret nobody sealed."""

    class Meta:
        model = Authenticator

    person = factory.SubFactory(PersonFactory)
    sealed_secret = b""


class RecoveryCodeFactory(DjangoModelFactory[RecoveryCode]):
    class Meta:
        model = RecoveryCode

    person = factory.SubFactory(PersonFactory)
    code_hash = factory.Sequence(lambda n: f"{n:064d}")
