"""Hosts that lie: whatever the header says, a known host's tenant answers, or nobody."""

import contextlib
import os
import socket
import subprocess
import sys
import time

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from tenants.isolation import tenant_context
from tests import factories
from tests.stack import REPOSITORY, free_port

pytestmark = pytest.mark.django_db
ACME = "acme.plaza.localhost"
# Each is sent with acme's token; globex exists, and must never be meant.
MALFORMED = [
    f"{ACME}:", f"{ACME}:x", f"{ACME}:80x", f"{ACME}:-1", f"{ACME}:65536", f"{ACME}:99999999999",
    f"{ACME}:{'9' * 5000}", f"{ACME}:80:80", f"{ACME}..", f".{ACME}", "acme..plaza.localhost",
    f" {ACME}x", "ac me.plaza.localhost", f"{ACME}\t", f"{ACME}/", f"{ACME}/../globex", f"{ACME}?x",
    f"{ACME}#x", f"user@{ACME}", f"user:pass@{ACME}", f"{ACME}@globex.plaza.localhost",
    f"{ACME},globex.plaza.localhost", f"{ACME};x", f"http://{ACME}", f"//{ACME}", f"{ACME}\\@x",
    f"{ACME}\0", "acme\0.plaza.localhost", f"{ACME}\n", f"{ACME}\r\nX-Tenant: globex",
    "acme_.plaza.localhost", "-acme.plaza.localhost", "acme-.plaza.localhost", "*.plaza.localhost",
    "%61cme.plaza.localhost", "acmé.plaza.localhost", "ａｃｍｅ.plaza.localhost",
    "acme.plaza.localho\u017ft", "acme。plaza。localhost", "[::1", "[::1]", "[::1]:8000",
    "[::ffff:127.0.0.1]", "::1", f"[{ACME}]", f"{'a' * 64}.plaza.localhost", "a." * 130 + "x",
    f"{'x.' * 4000}{ACME}", "t_0190000000007000800000000000acde", "<script>", "${jndi:ldap://x}", "'--",
]  # fmt: skip
UNKNOWN = [
    "plaza.localhost.evil.example", f"{ACME}.evil.example", f"evil.{ACME}", "acmeplaza.localhost",
    "xacme.plaza.localhost", "plaza.localhos", "localhost", "127.0.0.1", "127.0.0.1:8000",
    "2130706433", "0x7f000001", "globex", "acme", "xn--acm-cma.plaza.localhost", "evil.example",
    "www.plaza.localhost", "public", "api.evil.example",
]  # fmt: skip


@pytest.mark.parametrize("host", MALFORMED)
def test_a_malformed_host_is_400_and_is_not_repeated(acme, globex, api, host):
    answer = asked(host, api(acme).authorization)

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_host")
    assert says_nothing_of(host, answer)


@pytest.mark.parametrize("host", UNKNOWN)
def test_an_unknown_host_is_404_and_is_not_repeated(acme, globex, api, host):
    answer = asked(host, api(acme).authorization)

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_host")
    assert says_nothing_of(host, answer)


def asked(host: str, authorization: str, **headers: str):
    given = {"Host": host, "Authorization": authorization, **headers}
    return Client().get("/api/v1/contacts", headers=given)


def says_nothing_of(host: str, answer) -> bool:
    said = answer.content + str(answer.headers).encode()
    return host.encode() not in said or len(host) < 6


@pytest.mark.parametrize(
    "header",
    ["X-Forwarded-Host", "X-Host", "X-Original-Host", "X-Forwarded-Server", "Forwarded",
     "X-HTTP-Host-Override", "X-Rewrite-URL", "X-Original-URL", "X-Tenant", "X-Forwarded-Port"],
)  # fmt: skip
def test_no_other_header_names_the_host(acme, globex, api, header):
    lie = "host=globex.plaza.localhost" if header == "Forwarded" else "globex.plaza.localhost"
    known = Client().get(
        "/api/v1/me",
        headers={"Host": ACME, "Authorization": api(acme).authorization, header: lie},
    )
    unknown = Client().get("/api/v1/me", headers={"Host": "nobody.plaza.localhost", header: lie})

    assert known.json()["tenant"]["slug"] == "acme"
    assert unknown.status_code == 404


@pytest.mark.parametrize(
    "host", ["ACME.Plaza.LOCALHOST", f"{ACME}.", f"{ACME}.:8000", "aCmE.plaza.localhost:8000"]
)
def test_a_link_holds_the_known_host_however_it_was_spelled(acme, api, host):
    with tenant_context(acme):
        factories.ContactFactory.create_batch(2)
    answer = Client().get(
        "/api/v1/contacts?limit=1",
        headers={"Host": host, "Authorization": api(acme).authorization},
    )
    port = ":8000" if ":8000" in host else ""

    assert answer.json()["next"].startswith(f"http://{ACME}{port}/api/v1/contacts?")


# --- through the real server --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(django_db_setup):
    """granian as it runs, on this test's database: an address."""
    port = free_port()
    database = settings.DATABASES["default"]
    named = {
        name: value.rpartition("/")[0] + f"/{database['NAME']}"
        for name, value in os.environ.items()
        if name in {"DATABASE_URL", "DATABASE_SQUARE_URL", "DATABASE_OWNER_URL"}
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port",
         str(port), "config.wsgi:application"],
        cwd=REPOSITORY,
        env=os.environ | named | {"PLAZA_PORT": str(port), "DJANGO_SETTINGS_MODULE": "config.settings"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _await(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def _await(port: int, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(600):
        assert process.poll() is None, "granian ended"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    pytest.fail("granian does not listen")


def sent(port: int, *lines: str) -> tuple[int, bytes]:
    """Send these very lines; the answer's status (0 when the server hangs up) and all of it."""
    with socket.create_connection(("127.0.0.1", port), 10) as raw:
        raw.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1"))
        got = b""
        with contextlib.suppress(ConnectionError):
            while part := raw.recv(65536):
                got += part
    head = got.split(b" ", 2)
    return (int(head[1]) if len(head) > 1 else 0), got


NOBODY = "nobody.plaza.localhost"


@pytest.mark.parametrize(
    "lines",
    [
        ["GET /api/v1/me HTTP/1.1"],
        ["GET /api/v1/me HTTP/1.0"],
        ["GET /api/v1/me HTTP/1.1", "Host:"],
        ["GET /api/v1/me HTTP/1.1", f"Host: {NOBODY}"],
        ["GET /api/v1/me HTTP/1.1", f"Host: {NOBODY}", f"Host: {ACME}"],
        ["GET /api/v1/me HTTP/1.1", f"Host: {ACME}", f"Host: {NOBODY}"],
        ["GET /api/v1/me HTTP/1.1", f"Host: {NOBODY}", f" {ACME}"],
        ["GET /api/v1/me HTTP/1.1", f"Host : {ACME}"],
        ["GET /api/v1/me HTTP/1.1", f"Host: {ACME}\0"],
        ["GET /api/v1/me HTTP/1.1", f"Host: {ACME}\x0b"],
        ["GET /api/v1/me HTTP/1.1", f"Host: {ACME} {NOBODY}"],
        ["GET /api/v1/me HTTP/1.1", "Host: [::1]"],
        ["GET /api/v1/me HTTP/1.1", f"Host: user@{ACME}"],
        ["GET /api/v1/me HTTP/1.1", "Host: \xe1cme.plaza.localhost"],
        ["GET /api/v1/me HTTP/1.1", f"Host: {'a' * 60_000}"],
        [f"GET http://{NOBODY}/api/v1/me HTTP/1.1", f"Host: {NOBODY}"],
        [f"GET http://user@{NOBODY}/api/v1/me HTTP/1.1", f"Host: {NOBODY}"],
        [f"GET //{ACME}/api/v1/me HTTP/1.1", f"Host: {NOBODY}"],
        [f"GET @{ACME}/api/v1/me HTTP/1.1", f"Host: {NOBODY}"],
        [f"CONNECT {ACME}:80 HTTP/1.1", f"Host: {NOBODY}"],
        ["GET /api/v1/me HTTP/1.1", f"Host: {NOBODY}", f"X-Forwarded-Host: {ACME}"],
    ],
    ids=lambda lines: " | ".join(lines)[:60],
)
@pytest.mark.django_db(transaction=True)
def test_the_server_lets_no_lie_through(server, acme, lines):
    """401 would be acme's answer: the tenant was found, credentials are missing."""
    status, answer = sent(server, *lines)

    assert status in {0, 400, 404, 405, 414, 431}
    assert b"credentials_missing" not in answer


@pytest.mark.django_db(transaction=True)
def test_the_server_answers_the_truth(server, acme):
    """So the other test could fail; and of a full address in the request line only one host counts."""
    status, answer = sent(server, "GET /api/v1/me HTTP/1.1", f"Host: {ACME}:{server}")
    assert (status, b"credentials_missing" in answer) == (401, True)
    for line, host in ((NOBODY, ACME), (ACME, NOBODY)):
        status, answer = sent(server, f"GET http://{line}/api/v1/me HTTP/1.1", f"Host: {host}")
        assert status in {401, 404}
        assert (status == 401) == (host == ACME)
    assert connection.vendor == "postgresql"
