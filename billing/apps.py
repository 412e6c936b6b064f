from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "billing"

    def ready(self) -> None:
        from billing import catalogue, checks  # noqa: F401  (registers the system checks)

        catalogue.load()  # a wrong catalogue stops the start, by path
