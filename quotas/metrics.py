"""Prometheus: what the gate decided, by code and rule."""

from prometheus_client import Counter

from quotas.decision import Decision

DECISIONS = Counter("plaza_gate_decisions", "Decisions of the gate.", ["code", "rule"])


def count_decision(decision: Decision) -> None:
    """One more; the rules are a bounded number."""
    DECISIONS.labels(code=decision.code, rule=decision.rule).inc()
