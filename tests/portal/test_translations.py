"""Nothing of ours is left in English for a reader of Spanish."""

import re
from importlib import import_module

from django.conf import settings
from django.utils.translation import override

from apps.console.states import KINDS, STATES, TONES
from apps.portal import labels
from billing.models import Subscription, WebhookEvent
from config.errors import all_errors
from config.needs import Feature, Meter
from quotas import words
from tenants.models import Person, Tenant
from tests.portal import messages

_PLACES = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")


def test_every_string_of_code_and_templates_has_a_spanish_translation():
    known = messages.translated()
    missing = [
        (message.context, message.id)
        for message in messages.extracted()
        if message.id
        and not messages.is_whole(
            getattr(known.get(_first(message.id), message.context), "string", "")
        )
    ]
    assert missing == []


def test_the_catalogue_holds_nothing_that_no_code_says():
    said = {(message.context, _first(message.id)) for message in messages.extracted()}
    assert [
        message.id
        for message in messages.translated()
        if (message.context, _first(message.id)) not in said
    ] == []


def test_the_compiled_catalogue_is_that_of_the_source():
    assert messages.MO.read_bytes() == messages.compiled(messages.translated())


def test_translations_keep_their_placeholders():
    wrong = []
    for message in messages.translated():
        if not message.id:
            continue
        wanted = set(_PLACES.findall(_first(message.id)))
        texts = message.string if isinstance(message.string, (tuple, list)) else [message.string]
        wrong += [
            (message.id, found) for found in texts if set(_PLACES.findall(found or "")) != wanted
        ]
    assert wrong == []


def _first(msgid) -> str:
    return msgid[0] if isinstance(msgid, (tuple, list)) else msgid


def test_every_refusal_has_a_title_in_spanish():
    for urls in (settings.ROOT_URLCONF, settings.PUBLIC_SCHEMA_URLCONF):
        import_module(urls)
    english: dict[str, str] = {}
    spanish: dict[str, str] = {}
    for language, titles in (("en", english), ("es", spanish)):
        with override(language):
            titles |= {error.code: str(error.title) for error in all_errors()}

    assert len(english) > 40
    assert [code for code in english if english[code] == spanish[code]] == []


def test_every_name_in_code_has_a_label_for_people():
    assert set(labels.METERS) == set(Meter)
    assert set(words.NAMES) == set(Meter)
    assert set(labels.FEATURES) == set(Feature)
    assert set(labels.SUBSCRIPTION_STATES) == set(Subscription.Status.values)
    assert set(KINDS) == set(Person.Kind.values)
    assert set(TONES) == set(STATES)
    assert set(STATES) >= {
        *Tenant.Status.values,
        *Subscription.Status.values,
        *WebhookEvent.Status.values,
    }


def test_every_state_of_an_import_has_a_label():
    from apps.crm.models import Import

    assert set(labels.IMPORT_STATES) == set(Import.Status.values)
    assert set(labels.IMPORT_STOPS) == set(Import.StoppedReason.values)
