"""`manage.py second_factor reset EMAIL --reason …`: for who lost their app and their recovery codes."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from config.management.output import JsonCommand
from tenants.identity.operators import reset_second_factor
from tenants.identity.people import find_person
from tenants.isolation import square_context


class Command(JsonCommand):
    help = (
        "reset: let go of a person's (or an operator's) second factor and end their sign-ins, once you"
        " know that it is they who ask. The password stays; another app can be set up then."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("action", choices=["reset"])
        parser.add_argument("email")
        parser.add_argument("--reason", required=True, help="stands in the operators' trail")

    def handle(self, *args: Any, **options: Any) -> None:
        email = options["email"]
        with square_context():
            person = find_person(email)
            if person is None:
                raise CommandError(f"There is nobody with the address {email}.")
            reset_second_factor(person=person, reason=options["reason"], now=timezone.now())
        self.report(f"{email} signs in without a second factor now.", email=email)
