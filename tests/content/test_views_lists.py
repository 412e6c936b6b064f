from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tenants.isolation import tenant_context
from tests.content.asking import BRIEFS, PIECES, TEMPLATES, made
from tests.factories_campaigns import BriefFactory, PieceFactory, TemplateFactory

LISTS = [
    (BRIEFS, BriefFactory, "content_brief"),
    (TEMPLATES, TemplateFactory, "content_template"),
    (PIECES, PieceFactory, "content_piece"),
]


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize(("url", "factory", "table"), LISTS)
def test_a_list_asks_once_whatever_the_number_of_rows(acme, api, url, factory, table, rows):
    with tenant_context(acme):
        made_with = (
            {"brief": BriefFactory(), "template": TemplateFactory()}
            if factory is PieceFactory
            else {}
        )
        factory.create_batch(rows, **made_with)
    client = api(acme)

    with CaptureQueriesContext(connection) as asked:
        answer = client.get(url)

    assert len(answer["results"]) == rows
    assert sum("content_" in query["sql"] for query in asked) == 1


@pytest.mark.parametrize(("url", "factory", "table"), LISTS)
def test_a_list_shows_only_this_tenants_rows_the_newest_first(
    acme, globex, api, url, factory, table
):
    first, second = made(acme, factory), made(acme, factory)
    made(globex, factory)

    answer = api(acme).get(url)

    assert [each["id"] for each in answer["results"]] == [str(second.pk), str(first.pk)]


def ids(client, url, query):
    return [each["id"] for each in client.get(f"{url}?{query}")["results"]]


def test_briefs_are_narrowed(acme, api):
    old = made(
        acme, BriefFactory, objective="Recuperación", created_at=datetime(2020, 1, 1, tzinfo=UTC)
    )
    new = made(acme, BriefFactory, approved=True)
    client = api(acme)

    assert ids(client, BRIEFS, "status=approved") == [str(new.pk)]
    assert ids(client, BRIEFS, "search=recuperacion") == [str(old.pk)]
    assert ids(client, BRIEFS, "created_at__lte=2020-01-01T00:00:00Z") == [str(old.pk)]
    assert ids(client, BRIEFS, "ordering=created_at") == [str(old.pk), str(new.pk)]


def test_templates_are_narrowed(acme, api):
    zeta = made(acme, TemplateFactory, name="Zeta")
    alfa = made(acme, TemplateFactory, name="Alfa", kind="social")
    client = api(acme)

    assert ids(client, TEMPLATES, "kind=social") == [str(alfa.pk)]
    assert ids(client, TEMPLATES, "search=ZET") == [str(zeta.pk)]
    assert ids(client, TEMPLATES, "ordering=-name") == [str(zeta.pk), str(alfa.pk)]


def test_pieces_are_narrowed(acme, api):
    brief, template = made(acme, BriefFactory), made(acme, TemplateFactory)
    one = made(acme, PieceFactory, brief=brief, channel="sms", language="es")
    two = made(acme, PieceFactory, template=template, title="Niño", approved=True)
    client = api(acme)

    assert ids(client, PIECES, f"brief_id={brief.pk}") == [str(one.pk)]
    assert ids(client, PIECES, f"template_id={template.pk}") == [str(two.pk)]
    assert ids(client, PIECES, "channel=sms") == [str(one.pk)]
    assert ids(client, PIECES, "language=es") == [str(one.pk)]
    assert ids(client, PIECES, "status=approved") == [str(two.pk)]
    assert ids(client, PIECES, "search=nino") == [str(two.pk)]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        (f"{BRIEFS}?stauts=draft", "stauts"),
        (f"{TEMPLATES}?knid=email", "knid"),
        (f"{PIECES}?brief=x", "brief"),
        (f"{BRIEFS}?status=x", "status"),
        (f"{TEMPLATES}?kind=x", "kind"),
        (f"{PIECES}?brief_id=x", "brief_id"),
        (f"{PIECES}?channel=x", "channel"),
        (f"{PIECES}?ordering=body", "ordering"),
        (f"{PIECES}?search=%00", "search"),
    ],
)
def test_a_filter_that_is_none_is_refused_by_name(acme, api, query, field):
    assert list(api(acme).get(query, status=400)["errors"]) == [field]
