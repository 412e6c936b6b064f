"""What clients send and read about second factors."""

from typing import Any

from rest_framework import serializers

from tenants.identity.people import LONGEST_PASSWORD
from tenants.identity.second_factor import LONGEST_CODE


class CodeIn(serializers.Serializer[Any]):
    otp = serializers.CharField(max_length=LONGEST_CODE)


class AppIn(serializers.Serializer[Any]):
    present_password = serializers.CharField(max_length=LONGEST_PASSWORD, trim_whitespace=False)


class RemovalIn(AppIn, CodeIn):
    pass


class AppOut(serializers.Serializer[Any]):
    secret = serializers.CharField(help_text="Base32, for typing it in.")
    uri = serializers.CharField(help_text="`otpauth://totp/…`, as apps read it off a picture.")


class RecoveryCodesOut(serializers.Serializer[Any]):
    recovery_codes = serializers.ListField(child=serializers.CharField())


class SecondFactorOut(serializers.Serializer[Any]):
    is_set_up = serializers.BooleanField()
    is_required = serializers.BooleanField(help_text="Whether this organisation asks for one.")
    is_proved = serializers.BooleanField(help_text="Whether this very sign-in proved it.")
    recovery_codes_left = serializers.IntegerField()


class SignInPolicy(serializers.Serializer[Any]):
    second_factor_roles = serializers.ListField(
        child=serializers.CharField(max_length=64),
        max_length=100,
        help_text="`*` for everybody, names of built-in roles, ids of the organisation's own.",
    )
