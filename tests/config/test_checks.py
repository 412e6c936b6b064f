"""The checks of a deployment: what production must have been told."""

import os
import subprocess
import sys

from config.checks import production_has_a_sign_in_for_each, production_is_told_its_secrets
from tests.stack import REPOSITORY


def sign_in(user: str) -> dict[str, str]:
    return {"NAME": "plaza", "USER": user, "PASSWORD": "x", "HOST": "127.0.0.1", "PORT": "5432"}


def ids(settings, *, web: str, square: str, owner: str) -> list[str]:
    settings.DATABASE_WEB, settings.DATABASE_SQUARE = sign_in(web), sign_in(square)
    settings.DATABASE_OWNER = sign_in(owner) if owner else None
    return [str(message.id) for message in production_has_a_sign_in_for_each()]


def test_one_sign_in_for_everything_is_an_error_in_production_that_says_what_to_do(settings):
    settings.IS_PRODUCTION = True

    assert ids(settings, web="plaza", square="plaza", owner="plaza") == ["plaza.E003"]
    (message,) = production_has_a_sign_in_for_each()
    assert message.hint is not None
    assert "manage.py database prepare" in message.hint


def test_two_of_the_three_alike_are_an_error_too(settings):
    settings.IS_PRODUCTION = True

    assert ids(settings, web="plaza_web", square="plaza_web", owner="") == ["plaza.E003"]
    assert ids(settings, web="plaza_web", square="plaza", owner="plaza") == ["plaza.E003"]
    assert ids(settings, web="plaza", square="plaza_square", owner="plaza") == ["plaza.E003"]


def test_three_sign_ins_are_right_and_so_are_two_where_nothing_is_provisioned(settings):
    settings.IS_PRODUCTION = True

    assert ids(settings, web="plaza_web", square="plaza_square", owner="plaza_owner") == []
    assert ids(settings, web="plaza_web", square="plaza_square", owner="") == []


def test_outside_production_one_sign_in_will_do(settings):
    settings.IS_PRODUCTION = False

    assert ids(settings, web="plaza", square="plaza", owner="plaza") == []


def test_webhooks_that_could_not_be_verified_are_an_error_in_production(settings):
    settings.IS_PRODUCTION, settings.STRIPE_WEBHOOK_SECRET = True, ""

    assert [str(message.id) for message in production_is_told_its_secrets()] == ["plaza.E002"]


def test_a_web_server_with_a_tenants_route_that_declares_nothing_does_not_start():
    started = subprocess.run(
        [sys.executable, "-c", "import config.wsgi"],
        cwd=REPOSITORY,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "tests.quotas.forgetful_settings"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert started.returncode == 1
    assert "(plaza.E001) The tenant route 'forgotten' declares no needs." in started.stderr
