from django.apps import AppConfig


class TrailConfig(AppConfig):
    name = "tenants.trail"
    label = "trail"
