"""Addresses of a made-up tenant app: what the gate sees of a view."""

from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from config.api import View
from config.context import require_tenant
from config.ids import new_id
from config.needs import Feature, Meter, Needs, Permission, RateClass, needs
from quotas import ledger

handler404 = "config.handlers.not_found"
handler500 = "config.handlers.server_error"


class Things(View):
    """Answers the status that is asked for."""

    needs = Needs(feature=Feature.CRM, write=Permission.CAMPAIGNS_SEND)

    def get(self, request: Request) -> Response:
        status = int(request.query_params.get("status", 200))
        if status == 599:
            raise RuntimeError("a fault of ours")
        return Response({"status": status}, status=status)

    post = get


class Batch(View):
    needs = Needs(feature=Feature.CRM, write=Permission.CONTACTS_WRITE)

    def post(self, request: Request) -> Response:
        return Response({"results": []})


class Twice(View):
    """Asks another address of the tenant while it is at work."""

    needs = Needs(feature=Feature.CRM, write=Permission.CONTACTS_WRITE)

    def get(self, request: Request) -> Response:
        headers = {name: request.headers[name] for name in ("Host", "Authorization")}
        inner = Client(headers=headers).get("/api/v1/things")
        return Response({"inner": inner.status_code, "code": inner.json().get("code")})


@needs(Needs(feature=Feature.CONTENT, meter=None))
def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse("<h1>Page</h1>")


@needs(Needs(public=True, meter=None))
def door(request: HttpRequest) -> HttpResponse:
    return HttpResponse("open")


class Generated(View):
    """Dear work: a rate of its own."""

    needs = Needs(rate=RateClass.CONTENT_GENERATE)

    def get(self, request: Request) -> Response:
        return Response({})


class Kept(View):
    """Takes so many contacts of the ledger, in its own transaction."""

    needs = Needs(write=Permission.CONTACTS_WRITE, meter=None)

    @transaction.atomic
    def post(self, request: Request) -> Response:
        wish: Any = request.data
        ledger.consume(
            tenant_id=require_tenant().id, meter=Meter.CONTACTS,
            quantity=int(wish["contacts"]), key=new_id().hex, now=timezone.now(),
        )  # fmt: skip
        return Response({}, status=201)


def forgotten(request: HttpRequest) -> HttpResponse:
    return HttpResponse("must not be seen")


urlpatterns = [
    path("api/v1/things", Things.as_view()),
    path("api/v1/things/batch", Batch.as_view()),
    path("api/v1/things/twice", Twice.as_view()),
    path("api/v1/", include("quotas.urls")),
    path("api/v1/", include("quotas.caps.urls")),
    path("api/v1/", include("tenants.identity.urls")),
    path("api/v1/generated", Generated.as_view()),
    path("api/v1/kept", Kept.as_view()),
    path("page", page),
    path("door", door),
    path("forgotten", forgotten),
]
