"""deploy/prometheus and deploy/grafana ask for metrics that this tree exports, under labels that they have."""

import json
import re
from collections.abc import Iterator
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client import REGISTRY

import billing.providers.metrics
import config.request_metrics
import quotas.metrics
import tenants.metrics
from config.measuring import UP, declared
from tests.stack import REPOSITORY

DEPLOY = REPOSITORY / "deploy"
RULES = sorted((DEPLOY / "prometheus" / "rules").glob("*.yml"))
DASHBOARDS = sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))
COUNTED = (config.request_metrics, quotas.metrics, tenants.metrics, billing.providers.metrics)
# Of the job and of who was scraped: Prometheus adds them to every series.
OF_TARGETS = {"job", "instance", "role", "namespace", "pod"}
RECORDED = {
    rule["record"]
    for file in RULES
    for group in yaml.safe_load(file.read_text())["groups"]
    for rule in group["rules"]
    if "record" in rule
}


def exported() -> dict[str, set[str]]:
    """Every metric's name and its labels."""
    assert all(module.__doc__ for module in COUNTED)
    found = {
        name: {*getattr(collector, "_labelnames", ()), "le"}
        for name, collector in REGISTRY._names_to_collectors.items()
    }
    found |= {name: set(each.labels) for name, each in declared().items()}
    return found | {UP: {"measure"}, "up": set()} | {name: set() for name in RECORDED}


def selected(expression: Any) -> Iterator[Any]:
    """Every selector of a parsed expression."""
    if isinstance(expression, promql_parser.VectorSelector):
        yield expression
    for part in ("lhs", "rhs", "expr", "args", "vector_selector", "param"):
        inner = getattr(expression, part, None)
        for each in inner if isinstance(inner, list) else [inner]:
            if each is not None:
                yield from selected(each)


def expressions() -> dict[str, str]:
    """Where each is from, and what it says."""
    found = {
        f"{file.name}: {rule.get('alert') or rule['record']}": rule["expr"]
        for file in RULES
        for group in yaml.safe_load(file.read_text())["groups"]
        for rule in group["rules"]
    }
    for file in DASHBOARDS:
        board = json.loads(file.read_text())
        for panel in board["panels"]:
            for target in panel["targets"]:
                name = f"{file.name}: {panel['title']} {target['refId']}"
                found[name] = target["expr"].replace("$tenant", "x")
        for variable in board["templating"]["list"]:
            (asked,) = re.findall(r"^label_values\((.+), \w+\)$", variable["definition"])
            found[f"{file.name}: ${variable['name']}"] = asked
    return found


def test_every_metric_of_rules_and_dashboards_is_exported_under_these_labels():
    known, wrong, asked = exported(), [], set()
    for where, text in expressions().items():
        for selector in selected(promql_parser.parse(text)):
            asked.add(selector.name)
            labels = {matcher.name for matcher in selector.matchers.matchers} - OF_TARGETS
            if selector.name not in known or not labels <= known[selector.name]:
                wrong.append((where, selector.name, labels))

    assert wrong == []
    # Nothing is measured that nobody looks at.
    assert set(declared()) - asked == set()


def test_the_dashboards_show_requests_and_their_p95():
    titles = {
        json.loads(file.read_text())["uid"]: [
            panel["title"] for panel in json.loads(file.read_text())["panels"]
        ]
        for file in DASHBOARDS
    }

    assert set(titles) == {"plaza-platform", "plaza-tenant", "plaza-billing", "plaza-queues"}
    assert {"API Requests", "Response Time (p95)"} <= set(titles["plaza-platform"])


def test_prometheus_asks_plaza_every_5_seconds_where_it_answers():
    told = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    jobs = {job["job_name"]: job for job in told["scrape_configs"]}
    ours = {
        target: config["labels"]["role"]
        for config in jobs["plaza"]["static_configs"]
        for target in config["targets"]
    }

    assert told["global"]["scrape_interval"] == "15s"
    assert jobs["plaza"]["scrape_interval"] == "5s"
    assert jobs["plaza-platform"]["metrics_path"] == "/metrics/platform"
    assert ours == {
        "web:8000": "web",
        "worker:9100": "worker",
        "provisioner:9100": "provisioner",
    }
    assert {
        name: service["environment"]["PLAZA_METRICS_PORT"]
        for name, service in services.items()
        if "PLAZA_METRICS_PORT" in service.get("environment", {})
    } == {"worker": "9100", "provisioner": "9100"}


def test_each_alert_says_what_is_wrong_how_bad_it_is_and_what_to_do():
    alerts = [
        rule
        for file in RULES
        for group in yaml.safe_load(file.read_text())["groups"]
        for rule in group["rules"]
        if "alert" in rule
    ]

    assert {rule["labels"]["severity"] for rule in alerts} == {"page", "ticket"}
    assert [rule["alert"] for rule in alerts if not rule["annotations"]["summary"]] == []
    assert len({rule["alert"] for rule in alerts}) == len(alerts)
    assert [rule["alert"] for rule in alerts if not rule["annotations"]["runbook"]] == []


def test_every_receiver_that_a_route_names_is_there_and_tells_the_end_too():
    told = yaml.safe_load((DEPLOY / "prometheus" / "alertmanager.yml").read_text())
    receivers = {each.pop("name"): each for each in told["receivers"]}
    routes = [told["route"], *told["route"]["routes"]]
    ways = [way for receiver in receivers.values() for kind in receiver.values() for way in kind]

    assert {route["receiver"] for route in routes} == set(receivers)
    assert all(way["send_resolved"] for way in ways)


@pytest.mark.parametrize("file", ["autoscaling.yaml"])
def test_pods_are_scaled_by_a_metric_that_is_exported(file):
    text = (DEPLOY / "kubernetes" / "base" / file).read_text()

    assert set(re.findall(r"metric: \{name: (\w+)\}", text)) <= set(exported())
