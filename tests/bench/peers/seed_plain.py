"""Fill the plain peer's database: one token for each of TENANTS people, CONTACTS contacts in one table."""

import io
import json
import sys

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from rest_framework.authtoken.models import Token  # noqa: E402

from tests.bench.people import fill  # noqa: E402


def main(people: int, rows: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA ext")
        for name in ("pg_trgm", "citext", "unaccent", "btree_gin"):
            cursor.execute(f"CREATE EXTENSION {name} SCHEMA ext")
    call_command("migrate", verbosity=0, stdout=io.StringIO())
    ids = fill(rows)
    made = []
    for number in range(people):
        token = Token.objects.create(user=User.objects.create(username=f"person-{number}"))
        made.append({"host": "127.0.0.1", "authorization": f"Token {token.key}", "ids": ids})
    print(json.dumps(made))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
