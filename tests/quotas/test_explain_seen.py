"""Who may ask why: the whole tenant's refusals for some roles, one's own for the others, nobody else's."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from config.ids import new_id
from quotas import explanations
from quotas.models import Explanation
from tenants.models import Tenant
from tests import factories
from tests.client import Api
from tests.quotas.test_explain import EXPLAIN, THINGS, why

pytestmark = pytest.mark.django_db
Granted = Callable[..., None]


@pytest.fixture(autouse=True)
def _stall(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.quotas.stall_urls"


@pytest.mark.parametrize(
    ("role", "sees"),
    [("admin", 200), ("billing", 200), ("editor", 404), ("member", 404), ("read_only", 404)],
)
def test_owner_admin_and_billing_see_every_refusal_others_their_own(
    tenant: Tenant, granted: Granted, role: str, sees: int
) -> None:
    granted(tenant.pk, features=())
    owner, asker = Api.signed_in(tenant), Api.signed_in(tenant, role)
    owner.get(THINGS, status=403)
    why(owner, asker=asker, status=sees)
    asker.get(THINGS, status=403)
    assert why(asker)["role"] == role


def test_an_unknown_id_and_another_tenants_are_not_found(tenant: Tenant, granted: Granted) -> None:
    granted(tenant.pk)
    factories.ExplanationFactory(tenant_id=new_id(), request_id="of-another-tenant")
    api = Api.signed_in(tenant)
    for request_id in ("of-another-tenant", "never-asked-for"):
        assert api.get(EXPLAIN, {"request_id": request_id}, status=404)["code"] == "not_found"
    assert api.get(EXPLAIN, status=400)["errors"] == {"request_id": ["This field is required."]}


def test_a_request_that_is_let_in_leaves_no_explanation(tenant: Tenant, granted: Granted) -> None:
    granted(tenant.pk, api_calls=1)
    api = Api.signed_in(tenant)
    api.get(THINGS)
    explanations.flush()
    assert Explanation.objects.count() == 0
    why(api, status=404)


def test_somebodys_own_refusals_are_found_by_an_index(tenant: Tenant) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        plan = explanations._refusals(tenant.pk, "member:1")[:20].explain()
    assert "explanation_of_credential" in plan


def test_what_an_older_release_kept_is_told_too(tenant: Tenant) -> None:
    grant = {"source": "plan", "plan": "free", "priority": 0, "expires_at": None}
    kept = {
        "allowed": False, "code": "rate_limited", "rule": "rate:tenant", "limit": 2, "used": 2,
        "remaining": 0, "resets_at": None, "retry_after": 5, "plan": "free", "upgrade_to": None,
        "method": "GET", "path": "/", "caller": "token", "credential": "member:1", "role": "owner",
        "cost": 1, "facts": {}, "grants": [grant],
    }  # fmt: skip
    factories.ExplanationFactory(tenant_id=tenant.pk, request_id="of-before", told=kept)
    found = Api.signed_in(tenant).get(EXPLAIN, {"request_id": "of-before"})
    assert found["grants"] == [grant | {"states": None, "decides": False, "reason": ""}]
