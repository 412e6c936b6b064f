"""Rights of the square's tables: given after the migrations that they are about."""

import pytest

from tenants.engine.owner import owner_connection
from tenants.granting import prepare_rights


@pytest.mark.django_db
def test_on_data_of_an_older_release_rights_wait_for_its_migrations():
    """`database prepare` comes first in an upgrade, when declared tables are not there yet."""
    with owner_connection() as owner:
        (gone,) = owner.execute(
            "DELETE FROM public.django_migrations WHERE app = 'tenants' AND name LIKE '0002%'"
            " RETURNING id, app, name, applied"
        ).fetchall()
        try:
            assert prepare_rights() is False
        finally:
            owner.execute("INSERT INTO public.django_migrations VALUES (%s, %s, %s, %s)", gone)

    assert prepare_rights() is True
