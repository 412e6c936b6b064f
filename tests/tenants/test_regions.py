"""A tenant's data lies in its region: noted at sign-up, told, changed by operators, and never stored elsewhere."""

import json

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command

from billing import signup
from config.errors import ValidationFailed
from config.files import DataRegionElsewhere
from tenants import regions
from tenants.archives.manifest import Manifest, parsed
from tenants.isolation import tenant_context
from tenants.models import Tenant, TrailPending
from tests.billing.test_signup import wish

pytestmark = pytest.mark.django_db


def test_a_sign_up_gets_the_region_of_the_installation_and_no_other(settings, now):
    settings.PLAZA_REGION = "eu"
    for asked, noted in (("", "eu"), ("eu", "eu")):
        slug = f"stall-{asked or 'any'}"
        application = signup.Application(**wish(slug=slug), data_region=asked)
        assert signup.reserve(application=application, now=now).data_region == noted
    for ours, asked in (("eu", "us"), ("", "us")):
        settings.PLAZA_REGION = ours
        application = signup.Application(**wish(slug="elsewhere"), data_region=asked)
        with pytest.raises(ValidationFailed) as refused:
            signup.reserve(application=application, now=now)
        assert [*refused.value.facts["errors"]] == ["data_region"]
    assert Tenant.objects.filter(slug="elsewhere").count() == 0


def test_what_belongs_in_another_region_is_not_stored_here(acme, api, settings, tmp_path):
    settings.PLAZA_REGION = "eu"
    acme.data_region = "eu"
    acme.save()
    assert api(acme).get("/api/v1/me")["tenant"]["data_region"] == "eu"
    name = f"{acme.pk}/notes/one"
    with tenant_context(acme):
        default_storage.delete(default_storage.save(name, ContentFile(b"x")))
    call_command("tenant", "region", "acme", "us")
    moved = Tenant.objects.get(pk=acme.pk)
    assert moved.data_region == "us"
    with tenant_context(moved), pytest.raises(DataRegionElsewhere):
        default_storage.save(name, ContentFile(b"x"))
    (act,) = TrailPending.objects.filter(body__action="tenant.region_changed", tenant_id=acme.pk)
    assert (act.body["before"], act.body["after"]) == ({"data_region": "eu"}, {"data_region": "us"})
    with pytest.raises(ValidationFailed):
        regions.move(tenant_id=acme.pk, region="")


def test_an_archive_tells_its_region_and_older_ones_none(acme):
    told = Manifest(
        acme.pk, "acme", "Acme", "en", "growth", "2026-11-28T00:00:00Z", "r", "v", data_region="us"
    )
    read, is_ours = parsed(told.dumped())
    assert (read.data_region, is_ours) == ("us", True)
    older = json.loads(told.dumped())
    del older["data_region"]
    assert parsed(json.dumps(older).encode())[0].data_region == ""
