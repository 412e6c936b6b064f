import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.content.html_places import Place, UnsafePlace, is_safe_address, places
from apps.content.substitution import NotInLanguage, parse


def found(text):
    return [(placeholder.name, place.value) for placeholder, place in places(parse(text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ a }}", [("a", "text")]),
        ("<p>Hi {{ a }}</p>{{ b }}", [("a", "text"), ("b", "text")]),
        ("1 < 2 {{ a }}", [("a", "text")]),
        ('<p title="{{ a }}">', [("a", "attribute")]),
        ("<p title='x {{ a }} y'>{{ b }}", [("a", "attribute"), ("b", "text")]),
        ('<p title="a > b {{ a }}">', [("a", "attribute")]),
        ('<p title = "{{ a }}">', [("a", "attribute")]),
        ('<a href="{{ a }}">', [("a", "address")]),
        ('<A HREF=" {{ a }}">', [("a", "address")]),
        ('<a href="{{ a }}/x/{{ b }}">', [("a", "address"), ("b", "attribute")]),
        (
            '<a href="https://x.test/?q={{ a }}&r={{ b }}">',
            [("a", "attribute"), ("b", "attribute")],
        ),
        ('<a href="mailto:{{ a }}">', [("a", "attribute")]),
        ('<a href="#{{ a }}">', [("a", "attribute")]),
        ('<img src="{{ a }}" alt="{{ b }}">', [("a", "address"), ("b", "attribute")]),
        ("<!-- note -->{{ a }}", [("a", "text")]),
        ("<!-->{{ a }}", [("a", "text")]),
        ("<!--->{{ a }}", [("a", "text")]),
        ("<!-- x --!>{{ a }}", [("a", "text")]),
        ("<!----><b>{{ a }}", [("a", "text")]),
        ("<script><!-- x --></script>{{ a }}", [("a", "text")]),
        ('<a href="/data:{{ a }}">', [("a", "attribute")]),
        ('<a href="https://x.test/?a&b{{ a }}">', [("a", "attribute")]),
        ('<p title="javascript:{{ a }}">', [("a", "attribute")]),
        ("<!DOCTYPE html><html>{{ a }}", [("a", "text")]),
        ("<style>p { color: red }</style>{{ a }}", [("a", "text")]),
        ("<script>if (a < b) { x() }</script>{{ a }}", [("a", "text")]),
        ('<script src="x.js"></SCRIPT>{{ a }}', [("a", "text")]),
        ("<title>{{ a }}</title>", [("a", "text")]),
    ],
)
def test_the_place_of_a_variable_is_known(text, expected):
    assert found(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "<script>var x = '{{ a }}'</script>",
        "<SCRIPT type=x>{{ a }}</script>",
        "<script>'</scrip' + {{ a }}</script>",
        "<style>p { color: {{ a }} }</style>",
        "<iframe>{{ a }}</iframe>",
        "<!-- {{ a }} -->",
        "<p {{ a }}>",
        "<p {{ a }}='x'>",
        "<p title={{ a }}>",
        "<p title=x{{ a }}>",
        '<p title=x"{{ a }}">',
        "<{{ a }}>",
        "</{{ a }}>",
        "<p{{ a }}>",
        '<p onclick="{{ a }}">',
        "<p ONMOUSEOVER = \"go('{{ a }}')\">",
        '<p style="color: {{ a }}">',
        '<iframe srcdoc="{{ a }}">',
        '<a href="{{ b }}{{ a }}">',
        '<a href="java{{ a }}">',
        "<! {{ a }}>",
        """<a href="javascript:f('{{ a }}')">""",
        """<a href=" JAVA\tscript\n:f('{{ a }}')">""",
        """<a href="java&#115;cript&colon;f('{{ a }}')">""",
        '<a href="javascript://x.test/{{ a }}">',
        '<a href="\x01javascript:{{ a }}">',
        '<a href="javascript:' + " " * 5_000 + '{{ a }}">',
        '<a href="' + " " * 5_000 + 'javascript:{{ a }}">',
        '<iframe src="data:text/html,{{ a }}"></iframe>',
        '<a href="vbscript:x({{ a }})">',
        '<form action="javascript:{{ a }}">',
        '<a href="java&#115;{{ a }}">',
        '<a href="&#{{ a }}">',
        '<a href="&{{ a }}">',
        "<!--><script>//-->{{ a }}",
        "<!---><script>//-->{{ a }}",
        "<!-- --!><script>//-->{{ a }}",
        "<script><!--<script></script>{{ a }}</script>",
    ],
)
def test_a_variable_where_escaping_does_not_help_is_refused(text):
    with pytest.raises(UnsafePlace) as refused:
        found(text)

    assert refused.value.name == "a"


@pytest.mark.parametrize(
    ("address", "is_safe"),
    [
        ("https://x.test/a?b=c", True),
        ("HTTP://x.test", True),
        ("mailto:a@x.test", True),
        ("tel:+525512345678", True),
        ("/path", True),
        ("//x.test/path", True),
        ("#part", True),
        ("", True),
        ("javascript:alert(1)", False),
        ("JaVaScRiPt:alert(1)", False),
        (" javascript:alert(1)", False),
        ("java\nscript:alert(1)", False),
        ("\x01javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("vbscript:x", False),
        ("https:javascript:x", False),
        ("x", False),
    ],
)
def test_an_address_is_safe_when_a_browser_follows_it_without_running_it(address, is_safe):
    assert is_safe_address(address) is is_safe


@given(st.text("<>\"'/=!- {}abonhrefscipt", max_size=80))
def test_any_text_ends_in_places_or_a_refusal(text):
    try:
        for _, place in places(parse(text)):
            assert place in Place
    except (NotInLanguage, UnsafePlace):
        pass


@pytest.mark.parametrize(
    "hostile",
    [
        "<" * 100_000,
        '<a "' * 25_000,
        "<script></script>" * 6_000,
        "<!---->" * 14_000,
        "<!-->" * 20_000,
        "<script><!--" * 8_000 + "</script>" * 1_000,
        "<a b=" * 20_000,
    ],
)
def test_no_html_takes_long(hostile):
    begun = time.perf_counter()
    with suppress(UnsafePlace):
        found(hostile + "{{ a }}")
    assert time.perf_counter() - begun < 1
