"""`manage.py setup`: everything between an empty database and a served request, again and again harmless."""

import hashlib
import io
from typing import Any

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError, connection

from config.context import Place, at_place
from config.fingerprint import release_fingerprint
from config.management.output import JsonCommand
from config.models import PreparedRelease


def _fingerprint() -> str:
    """The release's, and which accounts of the providers hold the plans' prices."""
    accounts = (settings.STRIPE_API_BASE, settings.STRIPE_API_KEY, settings.PAYPAL_API_BASE)
    told = "\0".join([release_fingerprint(), *accounts, settings.PAYPAL_CLIENT_ID])
    return hashlib.sha256(told.encode()).hexdigest()


class Command(JsonCommand):
    help = "Migrate the square and every tenant, sync the plans, and (outside production) make the demo."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--force", action="store_true", help="even when nothing changed")

    def handle(self, *args: Any, **options: Any) -> None:
        fingerprint = _fingerprint()
        self._make_roles()
        if not options["force"] and self._prepared() == fingerprint:
            self.report("Nothing to prepare.", prepared=False)
            return
        # With --json their lines for people would stand before the document.
        spoken = io.StringIO() if options["json"] else self.stdout
        call_command("fleet", "migrate", wait=300, stdout=spoken)
        call_command("database", "prepare", if_changed=True, stdout=io.StringIO())
        if settings.PLAZA_READY_SCHEMAS:
            call_command("fleet", "fill", ready=settings.PLAZA_READY_SCHEMAS, stdout=spoken)
        call_command("plans", "sync", yes=True, stdout=io.StringIO())
        self.report("The plans are as the catalogue says.")
        if not settings.IS_PRODUCTION:
            call_command("demo", stdout=spoken)
        PreparedRelease.objects.update_or_create(id=1, defaults={"fingerprint": fingerprint})
        self.report("Prepared.", prepared=True, fingerprint=fingerprint)

    def _make_roles(self) -> None:
        """First of all: the sign-ins by which everything else is asked."""
        try:
            call_command("database", "prepare", if_changed=True, stdout=io.StringIO())
        except CommandError as refused:
            if not isinstance(refused.__cause__, psycopg.OperationalError):
                raise  # it answers, and told what a superuser must do
            raise CommandError(
                f"PostgreSQL does not answer as DATABASE_URL says: {refused}"
            ) from refused

    def _prepared(self) -> str | None:
        # As the owner: on data of an older release the square has no rights yet.
        try:
            with at_place(Place.OWNER), connection.cursor() as cursor:
                cursor.execute("SELECT to_regclass('public.config_preparedrelease') IS NOT NULL")
                if not cursor.fetchone()[0]:
                    return None
                return PreparedRelease.objects.values_list("fingerprint", flat=True).first()
        except DatabaseError as error:
            told = " ".join(str(error).split())
            raise CommandError(
                f"PostgreSQL does not answer as DATABASE_URL says: {told}"
            ) from error
