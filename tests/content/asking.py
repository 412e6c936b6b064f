"""What the tests of content's addresses share."""

from datetime import datetime

from tenants.isolation import tenant_context

BRIEFS, TEMPLATES, PIECES = "/api/v1/briefs", "/api/v1/templates", "/api/v1/pieces"
GENERATE = "/api/v1/content/generate"
REQUIRED = ["This field is required."]
UNKNOWN = ["Unknown field."]


def made(tenant, factory, **fields):
    with tenant_context(tenant):
        return factory(**fields)


def rfc3339(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
