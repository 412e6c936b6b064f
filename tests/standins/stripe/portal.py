"""The billing portal: its configurations and sessions."""

from tests.standins.store import Json
from tests.standins.stripe.account import Account
from tests.standins.stripe.listing import page_of
from tests.standins.stripe.objects import fresh, random_text
from tests.standins.stripe.params import Params
from tests.standins.stripe.routes import Routes

routes = Routes()

_CONFIGURATIONS = "/v1/billing_portal/configurations"
_DEFAULT = "bpc_standin_default"


def _features(params: Params, present: Json) -> Json:
    """The features after a request: what it names replaces what was."""
    given = params.inner("features")
    given.only(*present)
    for name in given:
        present[name] |= _typed(given.inner(name).values)
    for product in present["subscription_update"].get("products", []):
        product.setdefault("adjustable_quantity", {"enabled": False, "maximum": None, "minimum": 1})
    return present


def _typed(value: object) -> object:
    if isinstance(value, dict):
        return {key: _typed(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_typed(inner) for inner in value]
    return {"true": True, "false": False}.get(str(value), value)


def _configuration(account: Account, **values: object) -> Json:
    body = fresh(
        "billing_portal.configuration",
        created=account.now,
        updated=account.now,
        is_default=False,
        business_profile={
            "headline": None,
            "privacy_policy_url": None,
            "terms_of_service_url": None,
        },
        metadata={},
    )
    features = body["features"]
    features["subscription_update"] |= {
        "default_allowed_updates": ["price"],
        "enabled": True,
        "proration_behavior": "always_invoice",
        "schedule_at_period_end": {"conditions": []},
    }
    # Newer than the official example, and required by the SDK's types.
    features["subscription_pause"] = {
        "duration": {"interval_options": [], "type": "indefinite"},
        "enabled": False,
    }
    features["subscription_cancel"]["enabled"] = True
    features["payment_method_update"]["enabled"] = True
    return body | values


@routes.post(_CONFIGURATIONS, "features business_profile default_return_url metadata name")
def create_configuration(account: Account, params: Params) -> Json:
    body = _configuration(
        account,
        default_return_url=params.text("default_return_url"),
        metadata=params.into_metadata(None),
        name=params.text("name"),
    )
    body["business_profile"] |= params.inner("business_profile").values
    body["features"] = _features(params, body["features"])
    return account.create(body, "billing_portal.configuration.created")


@routes.get(f"{_CONFIGURATIONS}/<configuration_id>")
def retrieve_configuration(account: Account, _: Params, configuration_id: str) -> Json:
    return account.get("billing_portal.configuration", configuration_id)


@routes.post(
    f"{_CONFIGURATIONS}/<configuration_id>",
    "features business_profile default_return_url metadata name active",
)
def update_configuration(account: Account, params: Params, configuration_id: str) -> Json:
    body = account.get("billing_portal.configuration", configuration_id)
    for name in ("default_return_url", "name"):
        if name in params:
            body[name] = params.text(name)
    if "active" in params:
        body["active"] = params.flag("active")
    body["business_profile"] |= params.inner("business_profile").values
    body["features"] = _features(params, body["features"])
    body["metadata"] = params.into_metadata(body["metadata"])
    body["updated"] = account.now
    return account.change(body, "billing_portal.configuration.updated")


@routes.list(_CONFIGURATIONS, "active is_default")
def every_configuration(account: Account, params: Params) -> Json:
    return page_of(
        account,
        "billing_portal.configuration",
        params,
        url=_CONFIGURATIONS,
        equal=("active", "is_default"),
    )


def _default(account: Account) -> Json:
    found = account.store.get("billing_portal.configuration", _DEFAULT)
    return found or account.save(_configuration(account, id=_DEFAULT, is_default=True))


@routes.post("/v1/billing_portal/sessions", "customer configuration return_url locale")
def create_session(account: Account, params: Params) -> Json:
    configuration = (
        account.named_by(params, "configuration", "billing_portal.configuration")
        if "configuration" in params
        else _default(account)
    )
    secret = random_text(40)
    session = fresh(
        "billing_portal.session",
        configuration=configuration["id"],
        created=account.now,
        customer=account.named_by(params, "customer")["id"],
        locale=params.text("locale"),
        return_url=params.text("return_url") or configuration["default_return_url"],
        url=f"{account.url}/p/session/{secret}",
    )
    # The address is the key: whoever has it is the customer.
    account.store.put("portal_secret", secret, {"session": session["id"]})
    return account.save(session)
