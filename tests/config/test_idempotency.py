"""`Idempotency-Key`: one work, one answer, whoever asks twice."""

import threading

import pytest
from django.db import connections

from config.models import KeptAnswer

CONTACT = {"email": "ada@example.test", "first_name": "Ada"}


@pytest.mark.django_db
def test_the_same_key_and_body_answer_the_same_bytes_and_do_the_work_once(acme, api):
    client = api(acme)
    client.post("/api/v1/contacts", CONTACT, Idempotency_Key="k-1")
    first = client.last.content
    client.post("/api/v1/contacts", CONTACT, Idempotency_Key="k-1")

    assert (client.last.content, client.last["Idempotent-Replayed"]) == (first, "true")
    assert len(client.get("/api/v1/contacts")["results"]) == 1


@pytest.mark.django_db
def test_the_same_key_with_another_body_is_refused(acme, api):
    client = api(acme)
    client.post("/api/v1/contacts", CONTACT, Idempotency_Key="k-1")
    other = {"email": "bob@example.test"}

    problem = client.post("/api/v1/contacts", other, status=422, Idempotency_Key="k-1")

    assert problem["code"] == "idempotency_key_reused"


@pytest.mark.django_db
def test_the_same_key_of_another_tenant_is_another_key(acme, globex, api):
    ours = api(acme).post("/api/v1/contacts", CONTACT, Idempotency_Key="k-1")
    theirs = api(globex).post("/api/v1/contacts", CONTACT, Idempotency_Key="k-1")

    assert ours["id"] != theirs["id"]


@pytest.mark.django_db
def test_refused_work_is_not_kept_and_may_be_tried_again(acme, api):
    client = api(acme)
    client.post("/api/v1/contacts", {"email": "nonsense"}, status=400, Idempotency_Key="k-1")
    client.post("/api/v1/contacts", CONTACT, Idempotency_Key="k-1")

    assert KeptAnswer.objects.count() == 1


@pytest.mark.django_db
def test_a_kept_answer_is_sealed(acme, api):
    client = api(acme)
    created = client.post(
        "/api/v1/api-keys", {"name": "ci", "scopes": ["read"]}, Idempotency_Key="k-1"
    )
    kept = KeptAnswer.objects.get()

    assert created["key"].encode() in client.last.content
    assert created["key"].encode() not in bytes(kept.sealed_body)


@pytest.mark.django_db(transaction=True)
def test_twins_at_the_same_time_do_the_work_once(acme, api):
    clients = [api(acme) for _ in range(8)]
    barrier = threading.Barrier(len(clients))
    statuses = []

    def send(client):
        try:
            barrier.wait()
            answer = client.client.post(
                "/api/v1/contacts", CONTACT, content_type="application/json",
                headers={"Idempotency-Key": "k-1"},
            )  # fmt: skip
            statuses.append(answer.status_code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(statuses) <= {201, 409}
    assert statuses.count(201) >= 1
    assert len(api(acme).get("/api/v1/contacts")["results"]) == 1
