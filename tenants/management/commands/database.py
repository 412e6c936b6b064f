"""`manage.py database prepare`: the roles, the rights and the functions that keep tenants apart."""

from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from config.management.output import JsonCommand
from tenants.granting import prepare_rights
from tenants.preparing import prepare_roles


class Command(JsonCommand):
    help = "Make the roles and rights in PostgreSQL; print the SQL that only a superuser may run."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("action", choices=["prepare"])
        parser.add_argument(
            "--if-changed", action="store_true", help="leave rights as they are for this release"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.DATABASE_OWNER is None:
            raise CommandError("Only the owner can: set DATABASE_OWNER_URL.")
        try:
            prepared = prepare_roles()
            is_migrated = prepare_rights(anew=not options["if_changed"])
        except psycopg.Error as refused:
            raise CommandError(" ".join(str(refused).split())) from refused
        self.report("The roles are made.", roles=True)
        if is_migrated:
            self.report("Grants, row security and functions are as this release says.", rights=True)
        else:
            self.report(
                "This release's migrations are not done; `manage.py setup` does the rest.",
                rights=False,
            )
        for statement in prepared.lacking:
            self.report(
                f"A superuser must run, in this database:\n  {statement}", lacking=statement
            )
        # A sign-in of each tenant's own holds without them.
        if prepared.lacking and settings.PLAZA_DB_LOGIN == "role":
            told = " ".join(prepared.lacking)
            raise CommandError(f"The wall has a gap until a superuser has run: {told}")
