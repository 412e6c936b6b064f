"""Sign-up and the catalogue, for everybody."""

import json
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing import catalogue, signup
from billing.plan_shapes import catalogue_answer
from billing.serializers import SignUpIn, tenant_answer
from config.api import View, parse
from config.errors import NotFound
from config.logs import logger
from config.needs import Needs
from tenants.identity.throttles import by_address, limited
from tenants.models import Tenant

log = logger(__name__)
_OPEN = Needs(public=True, critical=True, meter=None)
PER_ADDRESS = "60/h"
PER_ACCOUNT = "10/h"


_TENANT = inline_serializer(
    "SignedUp",
    {
        "tenant": inline_serializer(
            "SignedUpTenant",
            {
                "slug": serializers.CharField(),
                "status": serializers.ChoiceField(Tenant.Status.choices),
                "url": serializers.CharField(),
            },
        ),
        "status_url": serializers.CharField(required=False),
    },
)
_PLANS = inline_serializer(
    "Plans",
    {
        "version": serializers.IntegerField(),
        "results": serializers.ListField(child=serializers.DictField()),
    },
)


class SignUp(View):
    """201 once the tenant answers requests, 202 with `status_url` when it needs longer.

    `post` reserves with a ready schema, and its answer under an Idempotency-Key commits with that. Where
    none was ready it is made afterwards, outside the transaction, also when the same key comes again
    after a kill, or by the provisioner's worker where this process has no right to.
    """

    needs = _OPEN

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        answer = super().dispatch(request, *args, **kwargs)
        return self._finished(request, answer) if answer.status_code == 201 else answer

    @extend_schema(auth=[], request=SignUpIn, responses={201: _TENANT, 202: _TENANT})
    def post(self, request: Request) -> Response:
        limited(request, group="sign-up", keys=by_address(request), rate=PER_ADDRESS)
        wish = parse(SignUpIn, request.data)
        account = wish["email"].strip().lower()
        limited(request, group="sign-up", keys=["account", account], rate=PER_ACCOUNT)
        application = signup.Application(**wish, locale=_locale())
        tenant = signup.reserve(application=application, now=timezone.now())
        return Response(tenant_answer(tenant, status=Tenant.Status.ACTIVE), status=201)

    def _finished(self, request: HttpRequest, answer: HttpResponse) -> HttpResponse:
        if isinstance(answer, Response):
            answer.render()
        tenant = Tenant.objects.filter(slug=json.loads(answer.content)["tenant"]["slug"]).first()
        if tenant is None:  # a kept answer, and the tenant is gone since
            return answer
        try:
            tenant = signup.finish(tenant_id=tenant.id)
        except DatabaseError:
            # What is reserved stays, and billing.finish_sign_ups goes on with it.
            log.exception("sign_up.unfinished", extra={"tenant_id": str(tenant.id)})
        if tenant.status != Tenant.Status.PROVISIONING:
            return answer
        later = tenant_answer(tenant, status=tenant.status)
        status_url = reverse("sign-up-status", args=[tenant.id])
        later["status_url"] = request.build_absolute_uri(status_url)
        return JsonResponse(later, status=202)


def _locale() -> str:
    """The asker's language, if it is one of ours."""
    known = [code for code, _ in settings.LANGUAGES]
    asked = (get_language() or "").partition("-")[0]
    return asked if asked in known else settings.LANGUAGE_CODE


class SignUpStatus(View):
    """How far a sign-up is: `provisioning`, then `active`. The id was given to whoever signed up."""

    needs = _OPEN

    @extend_schema(auth=[], responses=_TENANT)
    def get(self, request: Request, tenant_id: UUID) -> Response:
        tenant = Tenant.objects.filter(pk=tenant_id).first()
        if tenant is None:
            raise NotFound()
        return Response(tenant_answer(tenant, status=tenant.status))


class Plans(View):
    """Every plan in order of price, with its seats, use above its limits and add-ons."""

    needs = _OPEN

    @extend_schema(auth=[], responses=_PLANS)
    def get(self, request: Request) -> Response:
        return Response(catalogue_answer(catalogue.load()))
