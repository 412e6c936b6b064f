"""Names of tenants."""

import pytest

from config.errors import ValidationFailed
from tenants.services import RESERVED_SLUGS, check_slug, is_slug


@pytest.mark.parametrize("slug", ["wpad", "autodiscover", "localhost", "webhooks", "ns1", "www"])
def test_a_name_that_programs_ask_by_themselves_or_that_is_ours_is_reserved(slug):
    with pytest.raises(ValidationFailed):
        check_slug(slug)


def test_every_reserved_name_could_be_a_name():
    assert [slug for slug in RESERVED_SLUGS if not is_slug(slug)] == []


@pytest.mark.parametrize("slug", ["a", "a--b", "-a", "a-", "A1", "a\x00", "a" * 41, "ab\n", "ñu"])
def test_what_is_no_label_is_no_name(slug):
    assert not is_slug(slug)


def test_the_names_of_the_demo_are_free():
    for slug in ("acme", "globex", "test", "demo-1a2b3c"):
        check_slug(slug)
