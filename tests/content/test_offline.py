import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.content.channels import LIMITS, USUAL_CHANNEL, Limits
from apps.content.models import Channel, Kind
from apps.content.providers.offline import OfflineWriter, shortened
from apps.content.providers.phrases import LANGUAGES, Tone
from apps.content.providers.writer import LanguageUnknown, Order

WIDE = Limits(title=60, body=10_000)
PROMPTS = st.text(min_size=1, max_size=300).filter(str.strip)


def written(prompt, kind=Kind.TEXT, language="en", limits=WIDE, **more):
    return OfflineWriter().write(
        Order(kind=kind, prompt=prompt, language=language, limits=limits, **more)
    )


@pytest.mark.parametrize(
    ("prompt", "title"),
    [
        ("our new store", "Our new store"),
        ("Write an email about our new store.", "Our new store"),
        ("Please create a short social post announcing the winter sale!", "The winter sale"),
        ("Escribe un correo sobre nuestra tienda nueva", "Nuestra tienda nueva"),
        ("The store opens. Come early.", "The store opens"),
        ("Write!", "Write"),
        ("...", "..."),
    ],
)
def test_the_title_is_what_the_prompt_is_about(prompt, title):
    language = "es" if prompt.startswith("Escribe") else "en"
    assert written(prompt, language=language).title == title


def test_tone_language_and_audience_change_the_words():
    prompt = "free shipping"

    assert written(prompt).body == "A word about free shipping.\n\nLearn more on our site."
    assert written(prompt, tone="very URGENT").body == "Do not wait: free shipping.\n\nAct today."
    assert written(prompt, tone="friendly", audience="new customers.").body == (
        "We have something for you: free shipping.\n\nFor new customers.\n\nCome and have a look!"
    )
    assert written("envío gratis", language="es-AR", tone="formal").body == (
        "Nos complace informarle sobre envío gratis.\n\n"
        "Quedamos a su disposición para cualquier consulta."
    )


def test_a_social_post_ends_with_the_prompts_own_words_as_hashtags():
    body = written(
        "the Summer festival about music in Lisbon", Kind.SOCIAL, limits=Limits(0, 280)
    ).body

    assert body == (
        "A word about the Summer festival about music in Lisbon. Learn more on our site. "
        "#summer #festival #music"
    )


def test_what_does_not_fit_is_left_out_from_the_end_and_then_cut_at_a_word():
    prompt = "shoes. " + "They are very comfortable. " * 3

    assert written(prompt, limits=Limits(0, 60)).body == "A word about shoes."
    assert (
        written("shoes " * 30, limits=Limits(10, 40)).body
        == "A word about shoes shoes shoes shoes…"
    )
    assert written("shoes " * 30, limits=Limits(10, 40)).title == "Shoes…"


@given(
    PROMPTS, st.sampled_from(Kind), st.sampled_from(Channel), st.sampled_from(["en", "es", "es-MX"])
)
def test_every_text_keeps_the_limits_of_its_channel_and_is_the_same_twice(
    prompt, kind, channel, language
):
    limits = LIMITS[channel]

    draft = written(prompt, kind, language, limits)

    assert 0 < len(draft.body) <= limits.body
    assert len(draft.title) <= limits.title
    assert draft == written(prompt, kind, language, limits)
    assert draft.engine == "template"


@pytest.mark.parametrize("language", ["fr", "de-CH", "zh-Hant-TW", "eng"])
def test_a_language_that_is_not_written_is_refused(language):
    with pytest.raises(LanguageUnknown) as refused:
        written("x", language=language)

    assert refused.value.known == ("en", "es")


def test_every_language_has_words_for_every_tone():
    for phrases in LANGUAGES.values():
        for words in (phrases.opening, phrases.call, phrases.greeting, phrases.farewell):
            assert set(words) == set(Tone)


def test_every_channel_has_limits_and_every_kind_a_channel():
    assert set(LIMITS) == set(Channel)
    assert set(USUAL_CHANNEL) == set(Kind)


@given(st.text(max_size=100), st.integers(0, 120))
def test_a_shortened_text_fits_and_a_fitting_one_is_left_alone(text, limit):
    short = shortened(text, limit)

    assert len(short) <= limit
    if len(text) <= limit:
        assert short == text
