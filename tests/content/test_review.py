import pytest

from apps.content.models import Brief, Piece, ReviewStatus
from apps.content.services import review
from apps.content.services.review import ReviewRefused, Verb
from config.errors import NotFound
from config.ids import new_id
from tenants.isolation import tenant_context
from tests.factories_campaigns import BriefFactory, PieceFactory

PERSON = new_id()
# Written out, and not taken from the code: what each verb makes of each state; None is refused.
MATRIX = {
    ("draft", "approve"): "approved",
    ("draft", "reopen"): None,
    ("draft", "archive"): "archived",
    ("approved", "approve"): None,
    ("approved", "reopen"): "draft",
    ("approved", "archive"): "archived",
    ("archived", "approve"): None,
    ("archived", "reopen"): "draft",
    ("archived", "archive"): None,
}
ALLOWED = {
    "draft": ["approve", "archive"],
    "approved": ["reopen", "archive"],
    "archived": ["reopen"],
}
WISHED = {"approve": "approved", "reopen": "draft", "archive": "archived"}


@pytest.fixture(autouse=True)
def _stall(acme):
    with tenant_context(acme):
        yield


def test_the_matrix_covers_every_state_and_verb():
    assert set(MATRIX) == {(status.value, verb.value) for status in ReviewStatus for verb in Verb}


@pytest.mark.parametrize(("model", "factory"), [(Brief, BriefFactory), (Piece, PieceFactory)])
@pytest.mark.parametrize(("status", "verb"), sorted(MATRIX))
def test_each_verb_in_each_state_moves_or_is_refused_as_the_matrix_says(
    now, model, factory, status, verb
):
    row = factory(approved=True) if status == "approved" else factory(status=status)
    target = MATRIX[status, verb]

    if target is None:
        with pytest.raises(ReviewRefused) as refused:
            review.move(model=model, pk=row.pk, verb=Verb(verb), by_id=PERSON, now=now)
        assert refused.value.facts == {
            "from": status,
            "to": WISHED[verb],
            "allowed": ALLOWED[status],
        }
        target = status
    else:
        review.move(model=model, pk=row.pk, verb=Verb(verb), by_id=PERSON, now=now)
        approval = (PERSON, now) if target == "approved" else (None, None)
        row.refresh_from_db()
        assert (row.approved_by_id, row.approved_at, row.updated_at) == (*approval, now)

    row.refresh_from_db()
    assert row.status == target


@pytest.mark.parametrize("model", [Brief, Piece])
def test_what_does_not_exist_is_not_found(now, model):
    with pytest.raises(NotFound):
        review.move(model=model, pk=new_id(), verb=Verb.APPROVE, by_id=None, now=now)
