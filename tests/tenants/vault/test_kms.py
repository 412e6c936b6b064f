"""A master key in a KMS: signed as AWS says, bound to its context, taken over from a given key, and away."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.utils import timezone

from tenants.models import DataKey
from tenants.vault import rotation
from tenants.vault.aws_kms import AwsKms, KeyServiceAway
from tenants.vault.aws_signature import Signer
from tenants.vault.data_keys import forget_open_keys
from tenants.vault.masters import WrappingBroken
from tenants.vault.sealing import Cell, seal, unseal
from tests.standins.kms import KmsStandin, kms

KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd"


def test_a_request_is_signed_as_in_the_example_of_aws():
    signer = Signer("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "us-east-1", "iam")
    signed = signer.signed(
        "GET",
        "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08",
        {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
        b"",
        now=datetime(2015, 8, 30, 12, 36, tzinfo=UTC),
    )
    assert signed["Authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request,"
        " SignedHeaders=content-type;host;x-amz-date,"
        " Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
    )
    assert "wJalr" not in repr(signer)


@pytest.fixture
def service(settings):
    """A running KMS with one key, which the settings name."""
    settings.PLAZA_KMS_REGION, settings.PLAZA_KMS_KEY = "eu-west-1", KEY
    settings.PLAZA_KMS_ACCESS_KEY_ID, settings.PLAZA_KMS_SECRET_ACCESS_KEY = "AKID", "s3cret"
    with kms(Signer("AKID", "s3cret", "eu-west-1", "kms")) as running:
        running.create_key(KEY)
        settings.PLAZA_KMS_URL = running.url
        forget_open_keys()
        yield running
    forget_open_keys()


@pytest.mark.django_db
def test_the_service_takes_over_from_a_given_key_and_is_asked_once_for_a_data_key(
    service: KmsStandin, settings
):
    cell = Cell("tenants_factor", "sealed_secret", str(uuid4()), uuid4())
    before = seal("before", at=cell)
    settings.PLAZA_KMS = "tenants.vault.aws_kms.AwsKms"
    assert rotation.wrap_all_anew() == 1
    settings.PLAZA_MASTER_KEYS = ()
    forget_open_keys()
    assert [unseal(before, at=cell) for _ in range(5)] == ["before"] * 5
    assert DataKey.objects.get().master == f"aws-kms:{KEY}"
    assert service.asked == ["Encrypt", "Decrypt"]
    assert rotation.rotate() == 1
    assert unseal(seal("after", at=cell), at=cell) == "after"
    assert rotation.drop_unused_keys(now=timezone.now()) == 0


def test_what_is_another_tenants_or_of_a_key_that_is_gone_is_refused(service: KmsStandin, settings):
    master, context = AwsKms(), {"tenant": "a"}
    wrapped = master.encrypt(b"k" * 32, context=context)
    assert master.decrypt(wrapped, context=context) == b"k" * 32
    with pytest.raises(WrappingBroken):
        master.decrypt(wrapped, context={"tenant": "b"})
    service.keys.clear()
    with pytest.raises(KeyServiceAway):
        master.decrypt(wrapped, context=context)
    settings.PLAZA_KMS_SECRET_ACCESS_KEY = "another"
    with pytest.raises(KeyServiceAway):
        AwsKms().decrypt(wrapped, context=context)
    settings.PLAZA_KMS_URL = "http://127.0.0.1:9/"
    with pytest.raises(KeyServiceAway):
        AwsKms().decrypt(wrapped, context=context)
