"""`manage.py demo`: the demo tenants; `manage.py demo --journey`: the first journey against a running Plaza."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from apps.portal import demo
from apps.portal.demo_data import send_sample
from apps.portal.demo_journey import Journey, JourneyFailed
from config.management.output import JsonCommand

CDNOW = settings.BASE_DIR / "tests" / "data" / "cdnow" / "CDNOW_master.txt"


class Command(JsonCommand):
    help = "Make the demo tenants and people; with --journey, walk the first journey over HTTP."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--journey", action="store_true", help="walk the journey, over HTTP")
        parser.add_argument("--file", type=Path, default=CDNOW, help="the customers' file")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["journey"]:
            self._walk(options["file"])
            return
        try:
            people = demo.make_people(now=timezone.now())
        except demo.NoDemoPassword as error:
            raise CommandError(str(error)) from error
        self.report(f"{len(people)} demo people are there.", people=len(people))
        if options["file"].exists():
            sent = send_sample(options["file"], now=timezone.now())
            self.report(f"Sample data: {sent}", sample=sent)

    def _walk(self, file: Path) -> None:
        journey = Journey(port=settings.PLAZA_PORT, domain=settings.PLAZA_DOMAIN, tell=self.report)
        try:
            journey.walk(file)
        except JourneyFailed as failed:
            raise CommandError(str(failed)) from failed
