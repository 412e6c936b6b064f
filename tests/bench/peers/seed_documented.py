"""Fill the documented and the naive peer's database: TENANTS schemas with CONTACTS contacts each."""

import io
import json
import sys

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django_tenants.utils import tenant_context  # noqa: E402
from rest_framework.authtoken.models import Token  # noqa: E402

from config.ids import new_id  # noqa: E402
from tenants.models import Domain, Person, Tenant  # noqa: E402
from tests.bench.people import fill  # noqa: E402

_RULES = """
CREATE TABLE public.naive_flag (schema text, flag text, enabled bool, PRIMARY KEY (schema, flag));
CREATE TABLE public.naive_quota (schema text PRIMARY KEY, used bigint, allowed bigint);
"""


def main(tenants: int, rows: int) -> None:
    call_command("migrate_schemas", shared=True, verbosity=0, stdout=io.StringIO())
    with connection.cursor() as cursor:
        cursor.execute(_RULES)
    made = []
    for number in range(tenants):
        key = new_id()
        tenant = Tenant(
            id=key, schema_name=f"t_{key.hex}", slug=f"peer-{number}", organisation="Peer"
        )
        tenant.save()
        host = f"peer-{number}.plaza.localhost"
        Domain.objects.create(tenant=tenant, domain=host, is_primary=True)
        tenant.create_schema(check_if_exists=True, verbosity=0)
        person = Person.objects.create(email=f"p{number}@bench.test")
        token = Token.objects.create(user=person)
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO public.naive_flag VALUES (%s, 'crm', true)", [tenant.schema_name]
            )
            cursor.execute(
                "INSERT INTO public.naive_quota VALUES (%s, 0, 1e15)", [tenant.schema_name]
            )
        with tenant_context(tenant):
            ids = fill(rows)
        made.append({"host": host, "authorization": f"Token {token.key}", "ids": ids})
    print(json.dumps(made))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
