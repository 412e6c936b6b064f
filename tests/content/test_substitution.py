import contextlib
import html
import time
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.content.substitution import (
    LONGEST_RESULT,
    MOST_PLACEHOLDERS,
    Format,
    NotInLanguage,
    Placeholder,
    TooLarge,
    names,
    parse,
    render,
)

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,39}", fullmatch=True)
ANY_TEXT = st.text(max_size=200) | st.text("{}%| \"'abc:default\n", max_size=200)
LITERAL = ANY_TEXT.filter(lambda text: "{{" not in text and "{%" not in text)


def put(text, values=None, into=Format.PLAIN):
    return render(parse(text), values or {}, into=into)


def test_a_variable_gives_way_to_its_value():
    assert put("Hello {{ first_name }}!", {"first_name": "Ana"}).text == "Hello Ana!"


@pytest.mark.parametrize(
    "spelling",
    ["{{name}}", "{{ name }}", "{{  name  }}", '{{name|default:"x"}}', '{{ name | default: "x" }}'],
)
def test_spaces_and_defaults_are_spelled_freely(spelling):
    assert put(f"<{spelling}>", {"name": "v"}).text == "<v>"


def test_a_default_stands_in_for_a_value_that_is_not_given_and_for_no_other():
    text = '{{ name|default:"friend, {50%}" }}'

    assert parse(text) == ["", Placeholder("name", "friend, {50%}"), ""]
    assert put(text).text == "friend, {50%}"
    assert put(text, {"name": ""}).text == ""
    assert put('{{ name|default:"" }}').missing == ()


def test_what_is_missing_stays_visible_and_is_named_once():
    made = put("{{ b }} {{a}} {{ b }} {{ c }}", {"c": "1"})

    assert (made.text, made.missing) == ("{{ b }} {{ a }} {{ b }} 1", ("b", "a"))


@pytest.mark.parametrize(
    "attempt",
    [
        "{{ settings.SECRET_KEY }}",
        "{{ request.user.password }}",
        "{{ name.__class__ }}",
        "{{ name.__class__.__mro__[1].__subclasses__() }}",
        "{{ name|upper }}",
        "{{ name|default:other }}",
        "{{ name|default:'x' }}",
        '{{ name|default:"a"|default:"b" }}',
        '{{ name|default:"a\nb" }}',
        "{{ name() }}",
        "{{ 1 }}",
        "{{ 7*7 }}",
        "{{ a b }}",
        "{{ a-b }}",
        "{{ ñ }}",
        "{{ name\n}}",
        "{{ \tname }}",
        "{{}}",
        "{{ }}",
        "{{ name }",
        "{{ name",
        "{{{ name }}}",
        "{{ {{ name }} }}",
        "{{" * 1000,
        "{{ name }}{{",
        "{% load static %}",
        "{% debug %}",
        "{%",
        "{{ " + "n" * 41 + " }}",
        '{{ name|default:"' + "d" * 201 + '" }}',
    ],
)
def test_whatever_else_is_attempted_is_refused(attempt):
    with pytest.raises(NotInLanguage):
        parse(attempt)


def test_a_refusal_names_the_line_and_what_stands_there():
    with pytest.raises(NotInLanguage) as refused:
        parse("one\ntwo {{ ok }}\nthree {{ a.b }} " + "x" * 100)

    assert (refused.value.line, refused.value.found) == (3, "{{ a.b }} " + "x" * 30)


@pytest.mark.parametrize(
    "inert", ["{# a #}", "a{width:50%}", "@media{a{b:c}}", "}}", "${x}", "%(x)s", "{0}"]
)
def test_other_signs_are_only_text(inert):
    assert put(inert).text == inert


def test_a_value_is_never_parsed_again():
    values = {"a": "{{ b }}", "b": "{% x %}{{ a }}"}

    assert put("{{ a }}{{ b }}", values).text == "{{ b }}{% x %}{{ a }}"


def test_a_value_in_html_is_escaped_and_in_a_line_holds_no_line_break():
    values = {"v": '<b>"O\'Neil" & Co</b>\r\nBcc: x@y.z\u2028'}

    assert put("{{ v }}", values, Format.HTML).text == html.escape(values["v"])
    assert put("{{ v }}", values, Format.LINE).text == '<b>"O\'Neil" & Co</b>  Bcc: x@y.z '
    assert put("{{ v }}", values, Format.PLAIN).text == values["v"]


def test_too_many_placeholders_and_too_long_results_are_refused():
    most = "{{ a }}" * MOST_PLACEHOLDERS

    assert put(most, {"a": "x"}).text == "x" * MOST_PLACEHOLDERS
    with pytest.raises(TooLarge):
        parse(most + "{{ a }}")
    with pytest.raises(TooLarge):
        put(most, {"a": "x" * (LONGEST_RESULT // MOST_PLACEHOLDERS + 1)})


@pytest.mark.parametrize(
    "hostile",
    [
        "{" * 100_000,
        "{ {" * 33_000,
        "{{" + " " * 99_000,
        "{{ a|" + "default:" * 12_000,
        '{{ a|default:"' + "x" * 99_000,
        ("{{ a }}" + " " * 190) * 500,
        "}" * 100_000,
    ],
)
def test_no_template_takes_long(hostile):
    begun = time.perf_counter()
    with contextlib.suppress(NotInLanguage, TooLarge):
        put(hostile, {"a": "<" * 900}, Format.HTML)
    assert time.perf_counter() - begun < 0.5


@given(LITERAL)
def test_a_text_without_marks_is_given_back_as_it_is(text):
    for into in Format:
        assert put(text, {}, into).text == text


@given(ANY_TEXT)
def test_any_text_is_parsed_or_refused_and_nothing_else_happens(text):
    try:
        parts = parse(text)
    except NotInLanguage:
        assert "{{" in text or "{%" in text
    else:
        assert set(names(parts)) == {part.name for part in parts if isinstance(part, Placeholder)}


@given(
    st.lists(
        st.tuples(LITERAL.filter(lambda text: not text.endswith("{")), NAMES, st.text(max_size=50)),
        max_size=5,
    )
)
def test_a_template_put_together_of_parts_is_rendered_part_by_part(parts):
    values = {name: value for _, name, value in parts}
    text = "".join(f"{literal}{{{{ {name} }}}}" for literal, name, _ in parts)
    if "{%" in text:
        return

    made = put(text, values)

    assert made.text == "".join(literal + values[name] for literal, name, _ in parts)
    assert made.missing == ()


class _Reader(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.seen = []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, attrs))

    def handle_data(self, data):
        self.seen.append(data)


@given(st.text(min_size=1, max_size=100), st.text("<>\"'&;= javascript:/", min_size=1, max_size=60))
def test_a_value_in_html_changes_neither_tags_nor_attributes(one, other):
    reader = _Reader()
    reader.feed(put('<p title="{{ a }}">{{ b }}</p>', {"a": one, "b": other}, Format.HTML).text)
    reader.close()

    tag, *texts = reader.seen
    assert tag == ("p", [("title", one)])
    assert "".join(texts) == other
