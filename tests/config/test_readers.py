"""Readers that are used again read and refuse as those made for each body do."""

import json
from typing import Any

import pytest
from django.utils.translation import override
from rest_framework.exceptions import ValidationError

from apps.crm.serializers.people import ContactIn
from config.readers import read

_BODIES: tuple[Any, ...] = (
    {"email": 5}, {"email": "no"}, {"email": ""}, {"email": "a" * 300 + "@x.test"}, {"tags": "x"},
    {"tags": [""]}, {"tags": ["x"] * 101}, {"tags": [5, "\n"]}, {"fields": []}, {"fields": {"": 1}},
    {"fields": {"a": "\0"}}, {"phone_region": "XX"}, {"company": "a", "company_id": None},
    {"company_id": "no"}, {"owner_id": 5}, {"first_name": "\u200b"}, {"first_name": None},
    {"nope": 1, "email": "no"}, {"first_name": "x" * 201}, [], "text", None, 5, {}, [{"email": "no"}],
)  # fmt: skip


def test_bodies_are_refused_in_the_words_of_a_serializer_made_for_each():
    for language in ("en", "es", "en"):
        with override(language):
            for body in _BODIES:
                reader = ContactIn(data=body)
                if reader.is_valid():
                    assert read(ContactIn, body) == dict(reader.validated_data)
                    continue
                with pytest.raises(ValidationError) as refused:
                    read(ContactIn, body)
                assert json.dumps(refused.value.detail) == json.dumps(reader.errors)
