"""What deploy/ says is about this tree: its files, commands and variables exist."""

import json
import re

import pytest
import yaml

from config import env
from config.celery import app
from tenants import tls
from tenants.roles import SQUARE, WEB
from tests.stack import REPOSITORY

DEPLOY = REPOSITORY / "deploy"
# Read by compose.yaml itself, to make the addresses of its own servers.
OF_COMPOSE = {
    "POSTGRES_PASSWORD",
    "POSTGRES_WEB_PASSWORD",
    "POSTGRES_SQUARE_PASSWORD",
    "REDIS_PASSWORD",
    "ACME_EMAIL",
}


@pytest.fixture
def compose():
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def dockerfile() -> str:
    return (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")


def test_everything_that_the_image_copies_is_in_the_tree():
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile(), flags=re.MULTILINE)
    sources = [source for line in copied for source in line.split()]

    assert [source for source in sources if not (REPOSITORY / source).exists()] == []
    assert {"config", "tenants", "quotas", "billing", "apps"} <= set(sources)


def test_the_image_runs_as_an_unprivileged_user_and_serves_our_application():
    command = json.loads(re.findall(r"^CMD (\[.+\])$", dockerfile(), flags=re.MULTILINE)[-1])

    assert re.findall(r"^USER (\S+)$", dockerfile(), flags=re.MULTILINE) == ["10001"]
    assert (command[0], command[-1]) == ("granian", "config.wsgi:application")


def test_compose_runs_every_role_from_one_image(compose):
    roles = {
        name: service.get("command", ["the image's own"])
        for name, service in compose["services"].items()
        if service["image"] == "plaza"
    }
    assert {name: command[:4] for name, command in roles.items()} == {
        "setup": ["python", "manage.py", "setup"],
        "web": ["the image's own"],
        "worker": ["celery", "-A", "config.celery", "worker"],
        "beat": ["celery", "-A", "config.celery", "beat"],
        "provisioner": ["celery", "-A", "config.celery", "worker"],
    }


def test_the_proxy_asks_at_our_address_before_it_obtains_a_certificate(compose):
    text = (DEPLOY / "Caddyfile").read_text()
    asked = re.findall(r"^\t\task http://\{\$PLAZA_WEB:(\S+)\}(\S+)$", text, flags=re.MULTILINE)
    service, _colon, port = asked[0][0].partition(":")

    assert [path for _web, path in asked] == [tls.PATH]
    assert service in compose["services"]
    assert "./Caddyfile:/etc/caddy/Caddyfile:ro" in compose["services"]["caddy"]["volumes"]
    assert compose["services"]["web"]["ports"] == [f"127.0.0.1:{port}:{port}"]


def queues_of(command: list[str]) -> str:
    return command[command.index("--queues") + 1]


def test_every_queue_that_a_task_is_sent_to_has_one_kind_of_worker(compose):
    sent_to = {app.conf.task_default_queue} | {
        route["queue"] for route in app.conf.task_routes.values()
    }
    services = compose["services"]
    served = [queues_of(services[name]["command"]) for name in ("worker", "provisioner")]

    assert sorted(served) == sorted(sent_to)


def test_only_what_migrates_and_provisions_has_the_owners_sign_in(compose):
    ours = {
        name: service["environment"]
        for name, service in compose["services"].items()
        if service["image"] == "plaza"
    }
    owners = {name for name, given in ours.items() if "DATABASE_OWNER_URL" in given}
    signed_in = {
        variable: {given[variable].split(":")[1] for given in ours.values() if variable in given}
        for variable in ("DATABASE_URL", "DATABASE_SQUARE_URL", "DATABASE_OWNER_URL")
    }

    superuser = compose["services"]["postgres"]["environment"]["POSTGRES_USER"]

    assert owners == {"setup", "provisioner"}
    assert signed_in == {
        "DATABASE_URL": {f"//{WEB}"},
        "DATABASE_SQUARE_URL": {f"//{SQUARE}"},
        "DATABASE_OWNER_URL": {f"//{superuser}"},
    }
    # The file of variables is everyone's: the owner's password is taken out of it again.
    assert {given["POSTGRES_PASSWORD"] for given in ours.values()} == {""}


def test_no_port_is_open_to_the_world_and_the_image_cannot_write_to_itself(compose):
    services = compose["services"].values()
    ports = {
        name: service["ports"]
        for name, service in compose["services"].items()
        if "ports" in service
    }

    # The proxy's are, and it runs only where somebody asks for it by its profile.
    assert ports == {"web": ["127.0.0.1:8000:8000"], "caddy": ["80:80", "443:443", "443:443/udp"]}
    assert [name for name in ports if "profiles" not in compose["services"][name]] == ["web"]
    assert all(service["read_only"] for service in services if service["image"] == "plaza")


def test_the_example_of_the_environment_names_variables_that_exist():
    text = (DEPLOY / "env.example").read_text()
    named = set(re.findall(r"^([A-Z_]+)=", text, flags=re.MULTILINE))

    assert named - OF_COMPOSE <= set(env.DECLARED)
    required = {name for name, variable in env.DECLARED.items() if variable.default == "required"}
    assert required - named <= {"DATABASE_URL", "REDIS_URL"}
