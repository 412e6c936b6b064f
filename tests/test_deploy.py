"""What deploy/ says is about this tree: its files, commands and variables exist."""

import json
import os
import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
import yaml

from config import env
from config.celery import app
from config.local import roles
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
    "POSTGRES_HOST",
    "ACME_EMAIL",
    "COMPOSE_PROFILES",
    "CERTIFICATES_FOLDER",
    "GRAFANA_PASSWORD",
    "ALERTMANAGER_SECRETS",
    *(
        f"{image}_DIGEST"
        for image in (
            *("PLAZA", "POSTGRES", "VALKEY", "NGINX", "CADDY", "PGBOUNCER", "MAILPIT"),
            *("PROMETHEUS", "ALERTMANAGER", "GRAFANA"),
        )
    ),
}
# What `${PLAZA_DIGEST:-}` adds to the image's name.
OURS = "plaza${PLAZA_DIGEST:-}"
WORKFLOWS = sorted((REPOSITORY / ".github" / "workflows").glob("*.yaml"))
# Of the schemas that check-jsonschema brings along.
SCHEMAS = files("check_jsonschema.builtin_schemas.vendor")


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
    web = roles.web(host="0.0.0.0", port=8000, log_config="/app/config/granian.json")

    assert re.findall(r"^USER (\S+)$", dockerfile(), flags=re.MULTILINE) == ["10001"]
    assert command == list(web[1:])


def test_the_linter_of_dockerfiles_has_nothing_to_say():
    hadolint = Path(sys.executable).with_name("hadolint")
    said = subprocess.run(
        [hadolint, DEPLOY / "Dockerfile"], capture_output=True, text=True, check=False
    )

    assert (said.returncode, said.stdout) == (0, "")


@pytest.mark.parametrize(
    ("file", "schema"),
    [
        (DEPLOY / "compose.yaml", "compose-spec.json"),
        *((file, "github-workflows.json") for file in WORKFLOWS),
    ],
)
def test_files_of_others_formats_are_valid_by_their_schema(file, schema):
    read = yaml.safe_load(file.read_text())
    # YAML 1.1 reads the key `on` as a truth.
    told = {"on" if key is True else key: value for key, value in read.items()}

    jsonschema.validate(told, json.loads((SCHEMAS / schema).read_text()))


def test_the_workflows_run_our_own_checks_and_scripts():
    ran = [
        step.get("run", "")
        for file in WORKFLOWS
        for job in yaml.safe_load(file.read_text())["jobs"].values()
        for step in job["steps"]
    ]
    scripts = {path for text in ran for path in re.findall(r"(?:\.ci|deploy)/[\w/.-]+", text)}

    assert scripts == {".ci/run", "deploy/kubernetes/roll-out.sh"}
    assert [path for path in scripts if not os.access(REPOSITORY / path, os.X_OK)] == []


def test_compose_runs_every_role_from_one_image_by_the_command_lines_of_make_up(compose):
    ran = {
        name: service.get("command", ["the image's own"])
        for name, service in compose["services"].items()
        if service["image"] == OURS
    }

    assert ran == {
        "setup": ["python", "manage.py", "setup"],
        "web": ["the image's own"],
        "worker": list(roles.worker(processes=2)[1:]),
        "beat": list(roles.beat(schedule="/tmp/beat")[1:]),
        "provisioner": list(roles.provisioner()[1:]),
    }


def test_whatever_a_service_mounts_is_in_the_tree(compose):
    mounted = {
        volume.partition(":")[0]
        for service in compose["services"].values()
        for volume in service.get("volumes", ())
        if volume.startswith("./")
    }

    assert [name for name in mounted if not (DEPLOY / name).exists()] == []


def test_the_gateway_tells_plaza_whose_request_it_is_and_asks_where_plaza_answers(compose):
    text = (DEPLOY / "nginx" / "plaza.conf").read_text()
    (asked,) = re.findall(r"^\s+server (\S+):(\d+) ", text, flags=re.MULTILINE)

    assert asked[0] in compose["services"]
    assert compose["services"][asked[0]]["ports"] == [f"127.0.0.1:{asked[1]}:{asked[1]}"]
    assert re.findall(r"ssl_protocols (.+);", text) == ["TLSv1.3"]
    assert "proxy_set_header X-Real-IP $remote_addr;" in text
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in text
    # Answered to our own machines alone.
    assert set(re.findall(r"location = (\S+) { return 404; }", text)) >= {"/metrics", tls.PATH}


def test_the_proxy_asks_at_our_address_before_it_obtains_a_certificate(compose):
    text = (DEPLOY / "Caddyfile").read_text()
    asked = re.findall(r"^\t\task http://\{\$PLAZA_WEB:(\S+)\}(\S+)$", text, flags=re.MULTILINE)
    service, _colon, port = asked[0][0].partition(":")

    assert [path for _web, path in asked] == [tls.PATH]
    assert service in compose["services"]
    assert "./Caddyfile:/etc/caddy/Caddyfile:ro" in compose["services"]["caddy"]["volumes"]
    assert compose["services"]["web"]["ports"] == [f"127.0.0.1:{port}:{port}"]


def queues_of(command: list[str]) -> list[str]:
    return command[command.index("--queues") + 1].split(",")


def test_every_queue_that_a_task_is_sent_to_has_one_kind_of_worker(compose):
    sent_to = {app.conf.task_default_queue} | {
        route["queue"] for route in app.conf.task_routes.values()
    }
    services = compose["services"]
    served = [
        queue
        for name in ("worker", "provisioner")
        for queue in queues_of(services[name]["command"])
    ]

    assert sorted(served) == sorted(sent_to)


def test_only_what_migrates_and_provisions_has_the_owners_sign_in(compose):
    ours = {
        name: service["environment"]
        for name, service in compose["services"].items()
        if service["image"] == OURS
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

    # A gateway's are, and it runs only where somebody asks for it by its profile.
    to_the_world = {
        name for name, opened in ports.items() if any("127.0.0.1" not in each for each in opened)
    }
    assert to_the_world == {"nginx", "caddy"}
    assert [name for name in ports if "profiles" not in compose["services"][name]] == ["web"]
    assert all(service["read_only"] for service in services if service["image"] == OURS)


def test_the_example_of_the_environment_names_variables_that_exist():
    text = (DEPLOY / "env.example").read_text()
    named = set(re.findall(r"^([A-Z_]+)=", text, flags=re.MULTILINE))

    assert named - OF_COMPOSE <= set(env.DECLARED)
    required = {name for name, variable in env.DECLARED.items() if variable.default == "required"}
    assert required - named <= {"DATABASE_URL", "REDIS_URL"}
