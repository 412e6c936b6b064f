"""`manage.py signing_keys status|new`: the keys that sign access tokens."""

from typing import Any

from django.core.management.base import CommandParser

from config.management.output import JsonCommand
from tenants.identity.signing import accepted_names, new_key

_STEPS = """\
1. Set TOKEN_OTHER_KEYS to the new key (behind whatever it holds) and restart every process.
2. Five minutes later set TOKEN_SIGNING_KEY to the new key, TOKEN_OTHER_KEYS to the former one, and restart.
3. Once the longest life of an access token has passed, empty TOKEN_OTHER_KEYS and restart.
A stolen key: do the second step at once, without the former key. Everybody's access tokens end; programs refresh."""


class Command(JsonCommand):
    help = "status: which keys sign and are accepted. new: a new key, and the steps that bring it into force."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("action", choices=["status", "new"])

    def handle(self, *args: Any, **options: Any) -> None:
        getattr(self, f"_{options['action']}")()

    def _status(self) -> None:
        for index, name in enumerate(accepted_names()):
            state = "accepted" if index else "signs"
            self.report(f"{name}: {state}", kid=name, state=state)

    def _new(self) -> None:
        name, pem = new_key()
        self.report(f"{name}:\n{pem}\n\n{_STEPS}", kid=name, key=pem, steps=_STEPS.splitlines())
