import pytest

from apps.content.models import Piece
from config.ids import new_id
from config.needs import Meter
from quotas import ledger
from tenants.isolation import tenant_context
from tests.content.asking import GENERATE, PIECES, REQUIRED, UNKNOWN, made
from tests.factories_campaigns import BriefFactory

WISH = {"type": "email", "prompt": "Write an email about our spring sale. It ends on Sunday."}
NOTICE = "Composed from the prompt by the offline template engine; no language model was asked."


def test_a_generated_text_says_how_it_came_about_and_is_kept_as_a_draft(acme, api):
    client = api(acme)

    answer = client.post(GENERATE, WISH)

    piece = client.get(f"{PIECES}/{answer['id']}")
    assert answer == {
        "id": piece["id"],
        "type": "email",
        "content": (
            "Hello,\n\nA word about our spring sale.\n\nIt ends on Sunday.\n\n"
            "Learn more on our site.\n\nKind regards"
        ),
        "title": "Our spring sale",
        "channel": "email",
        "language": "en",
        "engine": "template",
        "notice": NOTICE,
    }
    assert (piece["body"], piece["title"]) == (answer["content"], answer["title"])
    assert (piece["status"], piece["engine"], piece["version"]) == ("draft", "template", 1)


@pytest.mark.parametrize(
    ("kind", "channel"),
    [("text", "web"), ("email", "email"), ("social", "social"), ("landing_page", "web")],
)
def test_each_type_has_its_usual_channel(acme, api, kind, channel):
    answer = api(acme).post(GENERATE, WISH | {"type": kind})

    assert (answer["type"], answer["channel"]) == (kind, channel)


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"type": "opera"}, {"type": ['"opera" is not a valid choice.']}),
        ({"type": None}, {"type": ["This field may not be null."]}),
        ({"prompt": " "}, {"prompt": ["This field may not be blank."]}),
        (
            {"prompt": "p" * 2001},
            {"prompt": ["Ensure this field has no more than 2000 characters."]},
        ),
        ({"language": "fr"}, {"language": ["This engine writes only en, es."]}),
        ({"channel": "fax"}, {"channel": ['"fax" is not a valid choice.']}),
        ({"brief_id": str(new_id())}, {"brief_id": ["There is no such brief."]}),
        ({"model": "gpt"}, {"model": UNKNOWN}),
    ],
)
def test_each_wrong_field_is_refused_under_its_own_name(acme, api, changes, errors):
    answer = api(acme).post(GENERATE, WISH | changes, status=400)

    assert answer["errors"] == errors
    with tenant_context(acme):
        assert Piece.objects.count() == 0


def test_type_and_prompt_are_asked_for(acme, api):
    answer = api(acme).post(GENERATE, {}, status=400)

    assert answer["errors"] == {"type": REQUIRED, "prompt": REQUIRED}


def test_what_the_client_leaves_out_comes_from_the_approved_brief(acme, api):
    brief = made(
        acme, BriefFactory, approved=True,
        tone="formal y cercano", audience="madres de Monterrey", languages=["es-MX"], channels=["sms"],
    )  # fmt: skip
    client = api(acme)
    wish = {
        "type": "text",
        "prompt": "Escribe un texto sobre el envío gratis.",
        "brief_id": str(brief.pk),
    }

    answer = client.post(GENERATE, wish)
    outside = client.post(GENERATE, wish | {"language": "en", "channel": "email"}, status=400)

    assert (answer["channel"], answer["language"], answer["title"]) == ("sms", "es-MX", "")
    assert answer["content"] == (
        "Nos complace informarle sobre el envío gratis. Para madres de Monterrey. "
        "Quedamos a su disposición para cualquier consulta."
    )
    assert sorted(outside["errors"]) == ["channel", "language"]


def test_nothing_is_made_from_a_brief_that_is_not_approved(acme, api):
    brief = made(acme, BriefFactory)

    answer = api(acme).post(GENERATE, WISH | {"brief_id": str(brief.pk)}, status=409)

    assert answer["code"] == "brief_not_approved"


def test_those_who_only_read_generate_nothing(acme, api):
    api(acme, "read_only").post(GENERATE, WISH, status=403)


def test_a_tenant_has_ten_texts_a_minute_generated_and_one_more_is_told_when(acme, api):
    client = api(acme)
    for _ in range(10):
        client.post(GENERATE, WISH)

    refused = client.post(GENERATE, WISH, status=429)

    assert (refused["code"], refused["rule"]) == ("rate_limited", "endpoint:content_generate")
    assert 1 <= int(client.last.headers["Retry-After"]) <= 6
    assert '"endpoint:content_generate";q=10;w=60' in client.last.headers["RateLimit-Policy"]


def test_the_last_text_of_the_plan_can_be_had_and_one_more_is_not_kept(globex, api, now):
    left = ledger.remaining(tenant_id=globex.id, meter=Meter.TEXT_GENERATIONS, now=now)
    assert left is not None
    ledger.consume(
        tenant_id=globex.id, meter=Meter.TEXT_GENERATIONS, quantity=left - 1, key="others", now=now
    )
    client = api(globex)
    client.post(GENERATE, WISH)

    refused = client.post(GENERATE, WISH, status=402)

    facts = [refused[fact] for fact in ("code", "meter", "limit", "used", "asked")]
    assert facts == ["quota_exceeded", "text_generations", left, left, 1]
    assert len(client.get(PIECES)["results"]) == 1
