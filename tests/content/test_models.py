from typing import Any

import pytest
from django.db import DataError, IntegrityError, connection, transaction
from django.db.models import ProtectedError

from apps.content.models import Brief, Piece, Template
from tenants.isolation import tenant_context
from tests.factories_campaigns import BriefFactory, PieceFactory, TemplateFactory

FACTORIES: dict[type, Any] = {Brief: BriefFactory, Template: TemplateFactory, Piece: PieceFactory}


@pytest.fixture(autouse=True)
def _stall(acme):
    with tenant_context(acme):
        yield


@pytest.mark.parametrize(
    ("model", "changes", "constraint"),
    [
        (Brief, {"objective": " "}, "brief_has_objective"),
        (Brief, {"status": "done"}, "brief_status_is_known"),
        (Brief, {"status": "approved"}, "brief_approved_has_moment"),
        (Template, {"name": "\t"}, "template_has_name"),
        (Template, {"kind": "fax"}, "template_kind_is_known"),
        (Template, {"kind": "email"}, "template_email_has_subject"),
        (Template, {"body": "b" * 100_001}, "template_body_is_bounded"),
        (Piece, {"body": "\n "}, "piece_has_body"),
        (Piece, {"body": "b" * 1_000_001}, "piece_body_is_bounded"),
        (Piece, {"channel": "fax"}, "piece_channel_is_known"),
        (Piece, {"language": "Spanish"}, "piece_language_is_a_code"),
        (Piece, {"status": "done"}, "piece_status_is_known"),
        (Piece, {"status": "approved"}, "piece_approved_has_moment"),
        (Piece, {"version": 0}, "piece_version_counts_from_one"),
    ],
)
def test_the_database_refuses_what_may_not_be(model, changes, constraint):
    row = FACTORIES[model]()

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        model.objects.filter(pk=row.pk).update(**changes)


@pytest.mark.parametrize(
    ("model", "changes"),
    [
        (Template, {"subject": "s" * 256}),
        (Piece, {"title": "t" * 256}),
    ],
)
def test_the_database_refuses_what_is_too_long(model, changes):
    row = FACTORIES[model]()

    with pytest.raises(DataError), transaction.atomic():
        model.objects.filter(pk=row.pk).update(**changes)


def test_a_brief_with_pieces_stays_and_a_template_leaves_its_pieces():
    piece = PieceFactory(brief=BriefFactory(), template=TemplateFactory())

    piece.template.delete()
    with pytest.raises(ProtectedError):
        piece.brief.delete()

    piece.refresh_from_db()
    assert piece.template_id is None


def test_each_index_is_earned_by_a_query():
    piece = PieceFactory(brief=BriefFactory(), template=TemplateFactory())
    with connection.cursor() as cursor:
        # So few rows fit one page: without this the planner reads them all, rightly.
        cursor.execute("SET LOCAL enable_seqscan = off")

    by_status = Piece.objects.filter(status="draft").order_by("-id")
    of_brief = Piece.objects.filter(brief_id=piece.brief_id).order_by("-id")
    of_template = Piece.objects.filter(template_id=piece.template_id).order_by("-id")
    assert "piece_by_status" in by_status.explain()
    assert "piece_of_brief" in of_brief.explain()
    assert "piece_of_template" in of_template.explain()
