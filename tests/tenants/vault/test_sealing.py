"""Secrets at rest: ciphertext in the database, bound to its place, under keys that turn without a pause."""

import hashlib
from base64 import urlsafe_b64encode
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from secrets import token_bytes
from uuid import uuid4

import pytest
from cryptography.fernet import Fernet
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tenants.archives.public_data import open_columns, public_tables
from tenants.engine.owner import owner_connection
from tenants.isolation import square_context
from tenants.life.erasing import erase
from tenants.models import THE_SQUARE, DataKey, WebhookEndpoint
from tenants.outbound import endpoints, signing
from tenants.outbound.events import known_events
from tenants.snapshots import TenantSnapshot, serving
from tenants.vault import rotation
from tenants.vault.checks import master_keys_are_those_of_the_database
from tenants.vault.data_keys import DataKeyGone, add_key, forget_open_keys
from tenants.vault.masters import GivenKey, MasterKeyMissing, WrappingBroken
from tenants.vault.sealing import Cell, SealBroken, key_id_of, open_of, seal, seal_for, unseal
from tests import factories

pytestmark = pytest.mark.django_db
SECRET = "whsec_Zm9yZ290dGVuLXNlY3JldA=="


@pytest.fixture(autouse=True)
def _no_key_is_remembered():
    forget_open_keys()
    yield
    forget_open_keys()


def endpoint_of(tenant) -> tuple[WebhookEndpoint, str]:
    return endpoints.add(
        tenant_id=tenant.pk,
        url="https://hooks.example.com/",
        events=[*known_events()][:1],
        now=timezone.now(),
    )


def test_the_database_holds_ciphertext_which_opens_in_its_own_cell_alone(acme, globex):
    row, secret = endpoint_of(acme)
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(t)::text FROM public.tenants_webhookendpoint AS t")
        endpoint = cursor.fetchone()[0]
        cursor.execute("SELECT to_jsonb(t)::text FROM public.tenants_datakey AS t")
        keys = cursor.fetchall()
    dump = bytes(row.sealed_secret).hex()
    assert dump in endpoint
    assert secret not in endpoint
    assert secret.encode().hex() not in endpoint
    assert len(keys) == 1
    assert open_of(row, "sealed_secret") == secret

    cell = Cell("tenants_webhookendpoint", "sealed_secret", str(row.pk), acme.pk)
    sealed = bytes(row.sealed_secret)
    assert unseal(sealed, at=cell) == secret
    for change, refusal in (
        ({"row": str(uuid4())}, SealBroken),
        ({"column": "sealed_former_secret"}, SealBroken),
        ({"table": "tenants_webhookendpoin", "column": "tsealed_secret"}, SealBroken),
        ({"tenant_id": globex.pk}, DataKeyGone),
        ({"tenant_id": THE_SQUARE}, DataKeyGone),
    ):
        with pytest.raises(refusal):
            unseal(sealed, at=replace(cell, **change))
    for position in (0, 5, 20, len(sealed) - 1):
        broken = bytearray(sealed)
        broken[position] ^= 1
        with pytest.raises((SealBroken, DataKeyGone)):
            unseal(bytes(broken), at=cell)


def test_equal_secrets_look_different_and_the_squares_have_a_key_of_their_own(acme):
    cell = Cell("tenants_factor", "sealed_secret", str(acme.pk))
    first, second = seal(SECRET, at=cell), seal(SECRET, at=cell)
    assert first != second
    assert DataKey.objects.get().tenant_id == THE_SQUARE
    assert unseal(first, at=cell) == unseal(second, at=cell) == SECRET


def test_a_warm_request_asks_the_database_for_no_key_and_a_rotation_holds_for_the_next(acme):
    row, _ = endpoint_of(acme)
    snapshot = TenantSnapshot(tenant=acme, hosts=frozenset(), version="v")
    with serving(snapshot):
        seal_for(row, "sealed_secret", SECRET)
        with CaptureQueriesContext(
            connection,
        ) as warm:
            sealed = seal_for(row, "sealed_secret", SECRET)
            row.sealed_secret = sealed
            assert open_of(row, "sealed_secret") == SECRET
        assert len(warm) == 0
        was = key_id_of(sealed)
        newer = add_key(tenant_id=acme.pk)
        assert snapshot.is_spoilt
        assert key_id_of(seal_for(row, "sealed_secret", SECRET)) == newer.pk != was


def test_master_and_data_keys_turn_while_everything_stays_readable(acme, globex, settings):
    rows = [endpoint_of(tenant)[0] for tenant in (acme, globex)]
    secrets = [open_of(row, "sealed_secret") for row in rows]
    old, new = settings.PLAZA_MASTER_KEYS[0], token_bytes(32)

    settings.PLAZA_MASTER_KEYS = (new, old)
    forget_open_keys()
    assert [open_of(row, "sealed_secret") for row in rows] == secrets
    assert rotation.wrap_all_anew() == 2
    assert rotation.wrap_all_anew() == 0
    settings.PLAZA_MASTER_KEYS = (new,)
    forget_open_keys()
    assert [open_of(row, "sealed_secret") for row in rows] == secrets

    assert rotation.rotate() == 2
    assert [open_of(row, "sealed_secret") for row in rows] == secrets
    assert rotation.seal_all_anew() == 2
    assert rotation.seal_all_anew() == 0
    assert rotation.drop_unused_keys(now=timezone.now()) == 0
    later = timezone.now() + timedelta(hours=2)
    assert rotation.drop_unused_keys(now=later) == 2
    assert sorted(DataKey.objects.values_list("version", flat=True)) == [2, 2]
    read = WebhookEndpoint.objects.order_by("pk")
    assert [open_of(row, "sealed_secret") for row in read] == secrets


def test_a_reseal_that_is_cut_off_goes_on_and_takes_over_what_is_older_than_the_vault(
    acme, monkeypatch, settings
):
    rows = [endpoint_of(acme)[0] for _ in range(3)]
    secrets = [open_of(row, "sealed_secret") for row in rows]
    digest = hashlib.sha256(b"plaza.webhook-secrets\n" + settings.SECRET_KEY.encode()).digest()
    key = urlsafe_b64encode(digest)
    older = Fernet(key).encrypt(secrets[0].encode())
    WebhookEndpoint.objects.filter(pk=rows[0].pk).update(sealed_secret=older)
    rows[0].refresh_from_db()
    assert open_of(rows[0], "sealed_secret") == secrets[0]
    add_key(tenant_id=acme.pk)

    monkeypatch.setattr(rotation, "_BATCH", 1)
    passes = iter([rotation._seal_batch])
    with monkeypatch.context() as cut:
        cut.setattr(rotation, "_seal_batch", lambda *given: next(passes)(*given))  # noqa: PLW0108
        with pytest.raises(RuntimeError):
            rotation.seal_all_anew()
    assert rotation.seal_all_anew() == 2
    read = WebhookEndpoint.objects.order_by("pk")
    assert [open_of(row, "sealed_secret") for row in read] == secrets
    assert {key_id_of(bytes(row.sealed_secret)) for row in read} == {
        DataKey.objects.get(version=2).pk
    }


def test_a_rotated_webhook_secret_moves_to_the_former_column_and_opens_there(acme):
    row, secret = endpoint_of(acme)
    row, newer = endpoints.rotate(tenant_id=acme.pk, endpoint_id=row.pk, now=timezone.now())
    assert signing.secrets_of(row, now=timezone.now()) == [newer, secret]


def test_no_archive_carries_a_sealed_column_or_a_data_key():
    """So a copy has nothing of another tenant's key: its webhooks are registered anew, its secrets are new."""
    with closing(owner_connection()) as owner:
        carried = {
            (table.name, column) for table in public_tables(owner) for column in open_columns(table)
        }
    sealed = {(each.model._meta.db_table, each.name) for each in rotation.sealed_columns()}
    assert ("tenants_webhookendpoint", "sealed_secret") in sealed
    assert sealed & carried == set()
    assert "tenants_datakey" not in {name for name, _ in carried}
    assert {each.model._meta.app_label for each in rotation.sealed_columns()} <= {
        config.label for config in apps.get_app_configs() if config.name in settings.SHARED_APPS
    }


def test_a_wrapped_key_opens_with_its_master_key_for_its_own_tenant_alone(acme, settings):
    endpoint_of(acme)
    row = DataKey.objects.get()
    master = GivenKey(settings.PLAZA_MASTER_KEYS[0])
    context = {"purpose": "plaza.data-key", "key": str(row.pk), "tenant": str(acme.pk)}
    wrapped = bytes(row.wrapped)
    assert len(master.decrypt(wrapped, context=context)) == 32
    assert master.decrypt(wrapped, context=context) not in wrapped
    for wrong in (GivenKey(token_bytes(32)), master):
        with pytest.raises(WrappingBroken):
            wrong.decrypt(wrapped, context=context | {"tenant": str(uuid4())})
    assert settings.PLAZA_MASTER_KEYS[0].hex() not in repr(master)


@pytest.mark.django_db(transaction=True)
def test_an_erased_tenants_key_is_gone_and_with_it_what_a_backup_of_its_rows_holds():
    gone, stays = factories.TenantFactory(), factories.TenantFactory()
    row, _ = endpoint_of(gone)
    backup = bytes(row.sealed_secret)
    cell = Cell("tenants_webhookendpoint", "sealed_secret", str(row.pk), gone.pk)
    other, secret = endpoint_of(stays)
    with square_context():
        certificate = erase(
            tenant_id=gone.pk, now=timezone.now(), tell=lambda _: None, is_at_once=True
        )
    assert certificate["erased"]["public"]["tenants_datakey"] == 1
    forget_open_keys()
    with pytest.raises(DataKeyGone):
        unseal(backup, at=cell)
    assert open_of(other, "sealed_secret") == secret


@pytest.mark.django_db(transaction=True)
def test_without_the_master_key_that_wraps_its_data_keys_nothing_starts(acme, settings, capsys):
    row, _ = endpoint_of(acme)
    assert master_keys_are_those_of_the_database() == []
    wanted = DataKey.objects.get().master
    settings.PLAZA_MASTER_KEYS = (token_bytes(32),)
    (fault,) = master_keys_are_those_of_the_database()
    assert (fault.id, wanted in fault.msg) == ("plaza.E005", True)
    forget_open_keys()
    with pytest.raises(MasterKeyMissing, match="PLAZA_MASTER_KEY"):
        open_of(row, "sealed_secret")
    call_command("vault", "status")
    assert f"{wanted}: missing, wraps 1 data keys" in capsys.readouterr().out
