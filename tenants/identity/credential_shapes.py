"""What clients send and read about their passwords, e-mail addresses, links and sign-ins."""

from typing import Any

from rest_framework import serializers

from tenants.identity.people import LONGEST_PASSWORD


def _password() -> serializers.CharField:
    return serializers.CharField(max_length=LONGEST_PASSWORD, trim_whitespace=False)


class ResetIn(serializers.Serializer[Any]):
    email = serializers.EmailField(max_length=254)


class TokenIn(serializers.Serializer[Any]):
    token = serializers.CharField(max_length=200, help_text="Of the link that was mailed.")


class NewPasswordIn(TokenIn):
    password = _password()


class PasswordChangeIn(serializers.Serializer[Any]):
    present_password = _password()
    password = _password()


class EmailChangeIn(serializers.Serializer[Any]):
    present_password = _password()
    email = serializers.EmailField(max_length=254)


class SessionOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    kind = serializers.CharField(help_text="`session` of a browser, or `token` of a program.")
    device = serializers.CharField()
    user_agent = serializers.CharField()
    address = serializers.CharField(help_text="Where it began.")
    first_seen_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField()
    has_second_factor = serializers.BooleanField()
    current = serializers.BooleanField()


class SessionsOut(serializers.Serializer[Any]):
    """A list like the others; it has one page."""

    results = SessionOut(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
