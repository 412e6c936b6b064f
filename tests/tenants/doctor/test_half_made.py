"""Tenants that were begun and are not open: what each is, and the way on."""

import pytest

from config.ids import new_id

pytestmark = pytest.mark.django_db
BEGUN = (
    "UPDATE public.tenants_tenant SET status = 'provisioning', created_at = now() - interval '11 minutes'"
    " WHERE id = '{id}'"
)
OPEN = "UPDATE public.tenants_tenant SET status = 'active' WHERE id = '{id}'"
IMPORT = (
    "INSERT INTO public.tenants_restoration (id, tenant_id, slug, archive_sha256, began_at)"
    f" VALUES ('{new_id()}', '{{id}}', 'sick', 'x', now())"
)


def test_a_sign_up_says_what_is_reserved_and_how_it_goes_on(ward):
    person = new_id()
    plant = (
        "INSERT INTO public.tenants_person (id, email, name, kind, is_active, is_superuser, password, locale)"
        f" VALUES ('{person}', 'p@doctor.test', '', 'member', true, false, '', '');"
        " INSERT INTO public.tenants_member (id, tenant_id, person_id, role)"
        f" VALUES ('{new_id()}', '{{id}}', '{person}', 'owner'); {BEGUN}"
    )
    undo = (
        f"DELETE FROM public.tenants_member WHERE person_id = '{person}';"
        f" DELETE FROM public.tenants_person WHERE id = '{person}'; {OPEN}"
    )
    with ward.planted(plant, undo):
        [finding] = ward.found()
    assert (finding.code, finding.fault.tenant_id) == ("signup_unfinished", ward.sick.id)
    assert (
        "name, owner and plan are reserved, its schema is made, and it is not open"
        in finding.fault.what
    )
    assert "manage.py tenant create sick with the same e-mail and password" in finding.fault.cure


def test_a_killed_import_is_no_sign_up(ward):
    undo = "DELETE FROM public.tenants_restoration WHERE tenant_id = '{id}';" + OPEN
    with ward.planted(f"{IMPORT}; {BEGUN}", undo):
        [finding] = ward.found()
        assert (finding.code, finding.fault.tenant_id) == ("import_unfinished", ward.sick.id)
        assert (
            "its schema is made, its rows are not loaded yet, and nobody is at it"
            in finding.fault.what
        )
        assert "manage.py tenant import FILE --slug sick" in finding.fault.cure
        ward.owner.execute("SELECT pg_advisory_lock(7411, hashtext('sick'))")  # somebody is at it
        while_it_goes_on = ward.codes()
        ward.owner.execute("SELECT pg_advisory_unlock(7411, hashtext('sick'))")
    assert while_it_goes_on == []


def test_a_row_that_nobody_finishes_is_told_with_the_way_out(ward):
    with ward.planted(BEGUN, OPEN):
        [finding] = ward.found()
    assert (finding.code, finding.fault.tenant_id) == ("reserved_by_nobody", ward.sick.id)
    assert "it has no owner, and nothing finishes it" in finding.fault.what
    assert "manage.py tenant erase sick --now sick gives the name back" in finding.fault.cure


def test_one_that_is_being_made_at_this_moment_is_not_told(ward):
    with ward.planted(BEGUN.replace("11 minutes", "9 minutes"), OPEN):
        assert ward.told() == []
