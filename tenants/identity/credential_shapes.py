"""What clients send about their passwords, e-mail addresses and links."""

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
