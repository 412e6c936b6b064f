"""What operators do stands in the tenant's trail and in their own, and is shown on the console."""

import pytest

from tenants.models import OPERATORS, OperatorEvent, Person
from tenants.trail.sealing import seal
from tests.console.doors import page_of, sign_in
from tests.portal.browser import SQUARE, Browser

pytestmark = pytest.mark.django_db


def test_an_operators_act_is_told_to_the_tenant_and_to_the_operators(operator, acme):
    operator.post(f"{page_of(acme)}/suspend/", {"reason": "Unpaid since May"}, status=302)
    seal(acme.id)
    seal(OPERATORS)

    operator.get(f"{page_of(acme)}/change/")
    assert "tenant.suspended" in operator.text
    event = OperatorEvent.objects.get(action="tenant.suspended")
    me = Person.objects.get(kind="operator").pk
    assert (event.actor_kind, event.actor_id, event.about_tenant_id) == ("operator", me, acme.pk)
    assert event.after == {"reason": "Unpaid since May"}
    operator.get("/console/tenants/operatorevent/")
    assert f"tenant.suspended operator {me} {acme.pk} acme" in operator.text


def test_sign_ins_to_the_console_are_told_whoever_tries(operator):
    sign_in(Browser(SQUARE), "nobody@plaza.test", status=200)
    seal(OPERATORS)

    told = OperatorEvent.objects.order_by("number").values_list("action", "object_label")

    assert list(told)[-1] == ("sign_in.failed", "n•••@plaza.test")
    assert ("sign_in.succeeded", "o•••@plaza.test") in told
