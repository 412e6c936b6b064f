"""The API's addresses are found by their first segment, with the very answers of Django's own resolver."""

from uuid import uuid4

import pytest
from django.urls import Resolver404, URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RegexPattern

from config.routes import SegmentResolver
from config.urls_api import urlpatterns

_API = next(each for each in urlpatterns if isinstance(each, SegmentResolver))


def _paths(patterns, prefix=""):
    for each in patterns:
        route = prefix + str(each.pattern)
        if isinstance(each, URLPattern):
            yield route
        else:
            yield from _paths(each.url_patterns, route)


def _example(route: str) -> str:
    while "<" in route:
        before, _, rest = route.partition("<")
        spelled, _, after = rest.partition(">")
        route = before + (str(uuid4()) if spelled.startswith("uuid:") else "a-name") + after
    return route


def _told(resolver, path):
    try:
        match = resolver.resolve(path)
    except Resolver404:
        return None
    return match.func, match.args, match.kwargs, match.route, match.view_name, match.namespaces


def test_every_address_and_every_near_miss_is_answered_as_by_django() -> None:
    plain = URLResolver(RegexPattern(r"^/"), [URLResolver(_API.pattern, _API.url_patterns)])
    indexed = URLResolver(RegexPattern(r"^/"), [_API])
    examples = [_example(route) for route in _paths(_API.url_patterns)]
    asked = [
        f"/api/v1/{path}{tail}" for path in examples for tail in ("", "/", "x", "/x", "/batch")
    ]
    asked += [
        "/api/v1/",
        "/api/v1",
        "/api/v1//",
        "/api/v1/nothing",
        "/api/v1/Contacts",
        "/contacts",
    ]

    answers = [_told(indexed, path) for path in asked]

    assert answers == [_told(plain, path) for path in asked]
    assert len([answer for answer in answers if answer]) >= len(examples) > 60


@pytest.mark.parametrize("table", ["config.urls_tenant", "config.urls_api"])
def test_a_small_request_is_asked_of_few_patterns(table, monkeypatch) -> None:
    asked = []
    known = URLPattern.resolve

    def counted(self, path):
        asked.append(self)
        return known(self, path)

    monkeypatch.setattr(URLPattern, "resolve", counted)

    assert get_resolver(table).resolve("/api/v1/tags").view_name == "tag-list"
    assert len(asked) <= 3
