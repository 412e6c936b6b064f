"""The product's settings with a tenant's address that declares nothing."""

from config.settings import *  # noqa: F403

ROOT_URLCONF = "tests.quotas.stall_urls"
