"""deploy/kubernetes: every overlay is valid by Kubernetes' own schemas, and runs what this tree runs."""

import json
import re
import subprocess
from functools import cache
from typing import Any

import kubernetes_validate
import pytest

from config import env
from config.celery import app
from config.local import roles
from tests.deploy.kustomize import containers, pod_of, rendered
from tests.stack import REPOSITORY

KUBERNETES = REPOSITORY / "deploy" / "kubernetes"
OVERLAYS = ("single", "production", "citus", "large")
# The newest that most clusters run, and the oldest that is still maintained.
VERSIONS = ("1.37", "1.34")
# granian's and libpq's own; of the servers in the overlay `single`.
OF_OTHERS = re.compile(r"GRANIAN_[A-Z_]+|PG[A-Z]+")
OF_SERVERS = {"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD", "REDIS_PASSWORD"}
WEB = roles.web(host="0.0.0.0", port=8000, log_config="/app/config/granian.json")


@cache
def things(overlay: str) -> list[dict[str, Any]]:
    return rendered(KUBERNETES / "overlays" / overlay)


def named(overlay: str, kind: str) -> dict[str, dict[str, Any]]:
    return {
        each["metadata"]["name"]: each
        for each in things(overlay)
        if each["kind"] == kind and each["apiVersion"].count("istio") == 0
    }


def everything() -> list[dict[str, Any]]:
    """Each different object of all overlays, once."""
    found = {json.dumps(each, sort_keys=True): each for name in OVERLAYS for each in things(name)}
    return list(found.values())


def as_in_a_container(command: tuple[str, ...]) -> list[str]:
    assert command[0] == "-m"
    return list(command[1:])


@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_is_valid_by_the_schema_of_its_kind(version):
    for each in everything():
        kubernetes_validate.validate(each, version, strict=True)


def test_every_role_runs_the_very_command_line_of_make_up():
    commands = {
        name: next(containers(each))["command"]
        for name, each in named("production", "Deployment").items()
    }

    assert commands == {
        "web-v1": as_in_a_container(WEB),
        "web-v2": as_in_a_container(WEB),
        "web-next": as_in_a_container(WEB),
        "worker": as_in_a_container(roles.worker(queues=("plaza",), processes=2)),
        "validator": as_in_a_container(roles.worker(queues=("validation",), processes=1)),
        "provisioner": as_in_a_container(roles.provisioner()),
        "beat": as_in_a_container(roles.beat(schedule="/tmp/beat")),
    }
    sent_to = {app.conf.task_default_queue} | {
        route["queue"] for route in app.conf.task_routes.values()
    }
    assert sent_to == {*roles.QUEUES, "provisioner"}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_variable_is_one_that_is_read_and_none_of_the_map_is_a_secret(overlay):
    given = set(named(overlay, "ConfigMap")["plaza"]["data"])
    given |= {
        one["name"]
        for each in things(overlay)
        for container in containers(each)
        for one in container.get("env", ())
    }
    secrets = {"PLAZA_DB_KEY", "PLAZA_MASTER_KEY", "SECRET_KEY", "TOKEN_SIGNING_KEY"}

    ours = {name for name in given - OF_SERVERS if not OF_OTHERS.fullmatch(name)}
    assert ours - set(env.DECLARED) == set()
    assert {name for name in ours if name.endswith("_URL") or name in secrets} == set()


def test_the_secrets_that_are_to_be_made_hold_variables_that_are_read():
    text = (KUBERNETES / "README.md").read_text()
    told = text[text.index("`plaza`: `DATABASE_URL`") : text.index("Redis by verified TLS")]
    made = set(re.findall(r"`([A-Z][A-Z_]+)`", told))
    required = {name for name, variable in env.DECLARED.items() if variable.default == "required"}

    assert made - set(env.DECLARED) == set()
    assert required - made == set()


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_process_of_ours_is_unprivileged_bounded_and_cannot_write_to_itself(overlay):
    for each in things(overlay):
        pod = pod_of(each)
        if pod is None:
            continue
        (container,) = containers(each)
        name = each["metadata"]["name"]
        assert pod["spec"]["securityContext"]["runAsNonRoot"] is True, name
        assert pod["spec"]["automountServiceAccountToken"] is False, name
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, name
        if container["image"].startswith("registry.example/plaza@sha256:"):
            assert container["resources"] == {
                "requests": {"cpu": "250m", "memory": "256Mi"},
                "limits": {"cpu": "500m", "memory": "512Mi"},
            }, name


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_whatever_is_chosen_by_labels_is_there(overlay):
    """A wrong label is an error only at run time: a service that nobody answers for."""
    pods = {
        each["metadata"]["name"]: pod["metadata"]["labels"]
        for each in things(overlay)
        if (pod := pod_of(each)) is not None
    }

    def chosen(selector: dict[str, str]) -> set[str]:
        return {name for name, labels in pods.items() if selector.items() <= labels.items()}

    by_labels = [each["spec"]["selector"] for each in named(overlay, "Service").values()]
    by_labels += [
        each["spec"]["selector"]["matchLabels"]
        for each in named(overlay, "PodDisruptionBudget").values()
    ]

    assert [selector for selector in by_labels if not chosen(selector)] == []
    for name, deployment in named(overlay, "Deployment").items():
        assert chosen(deployment["spec"]["selector"]["matchLabels"]) == {name}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_whatever_is_called_by_name_is_there(overlay):
    (ingress,) = named(overlay, "Ingress").values()
    pods = [
        pod["spec"]
        for each in things(overlay)
        if each["kind"] in {"Deployment", "Job"} and (pod := pod_of(each)) is not None
    ]
    called = {
        "HorizontalPodAutoscaler": set(),
        "Deployment": {
            each["spec"]["scaleTargetRef"]["name"]
            for each in named(overlay, "HorizontalPodAutoscaler").values()
        },
        "Service": {
            path["backend"]["service"]["name"]
            for rule in ingress["spec"]["rules"]
            for path in rule["http"]["paths"]
        },
        "ServiceAccount": {pod["serviceAccountName"] for pod in pods},
        "PriorityClass": {pod["priorityClassName"] for pod in pods},
        "PersistentVolumeClaim": {
            volume["persistentVolumeClaim"]["claimName"]
            for pod in pods
            for volume in pod["volumes"]
            if "persistentVolumeClaim" in volume
        },
    }

    assert {kind: names - set(named(overlay, kind)) for kind, names in called.items()} == {
        kind: set() for kind in called
    }


def test_web_is_scaled_as_asked_and_the_owners_sign_in_is_for_two():
    def bounds(overlay: str) -> dict[str, tuple[int, int]]:
        return {
            name: (each["spec"]["minReplicas"], each["spec"]["maxReplicas"])
            for name, each in named(overlay, "HorizontalPodAutoscaler").items()
        }

    assert bounds("single") == {}
    assert bounds("production") == bounds("citus") == {"web-v1": (3, 20), "web-v2": (3, 20)}
    assert bounds("large") == {"web-v1": (4, 30), "web-v2": (4, 30)}
    scaled_by = [
        metric["resource"]["target"]["averageUtilization"]
        if metric["type"] == "Resource"
        else metric["pods"]["metric"]["name"]
        for metric in named("production", "HorizontalPodAutoscaler")["web-v1"]["spec"]["metrics"]
    ]
    assert scaled_by == [70, 80, "plaza_requests_in_flight"]
    assert named("production", "Deployment")["validator"]["spec"]["replicas"] == 5
    owners = {
        each["metadata"]["name"]
        for each in things("production")
        for container in containers(each)
        if {"secretRef": {"name": "plaza-owner"}} in container["envFrom"]
    }
    assert owners == {"fleet", "provisioner"}


def test_the_component_for_istio_takes_effect_where_it_is_asked_for(tmp_path):
    overlay = tmp_path / "overlay"
    overlay.mkdir()
    (overlay / "kustomization.yaml").write_text(
        f"resources: [{KUBERNETES}/base]\ncomponents: [{KUBERNETES}/components/istio]\n"
    )
    found = {(each["kind"], each["metadata"]["name"]): each for each in rendered(overlay)}

    assert found["Namespace", "plaza"]["metadata"]["labels"]["istio-injection"] == "enabled"
    assert found["PeerAuthentication", "mutual"]["spec"] == {"mtls": {"mode": "STRICT"}}
    job = found["Job", "fleet"]["spec"]["template"]["metadata"]
    assert job["annotations"] == {"sidecar.istio.io/inject": "false"}


@pytest.mark.parametrize("script", ["roll-out.sh", "canary.sh", "blue-green.sh"])
def test_the_scripts_are_shell_and_name_deployments_that_exist(script):
    path = KUBERNETES / script
    text = path.read_text()
    named_there = set(re.findall(r"deployment/([a-z][a-z0-9-]+)", text))
    named_there |= {
        name for line in re.findall(r"for deployment in (.+); do", text) for name in line.split()
    }

    assert subprocess.run(["bash", "-n", path], check=False).returncode == 0
    assert named_there <= set(named("production", "Deployment"))
    assert len(named_there) > 1
