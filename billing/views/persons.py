"""All that Plaza keeps of the person who asks: shown, or erased for good."""

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from billing.seat_shapes import ErasedMeOut, EraseMeIn, MyDataOut
from billing.services import persons
from config.api import View, parse
from config.context import Place
from config.errors import PermissionDenied
from config.needs import Needs, Permission
from config.quick_json import quick_answer
from tenants.identity.caller import caller_of, member_of
from tenants.identity.personal_data import data_of
from tenants.models import Person

_MINE = Needs(read=Permission.ME_READ, write=Permission.ME_WRITE, critical=True, meter=None)


class MyData(View):
    """Of the person alone: in every tenant, without secrets."""

    needs = _MINE
    place = Place.SQUARE

    @extend_schema(operation_id="my_data", responses=MyDataOut)
    def get(self, request: Request) -> HttpResponse:
        return quick_answer(request, data_of(_myself(request)))

    @extend_schema(operation_id="erase_me", request=EraseMeIn, responses={200: ErasedMeOut})
    def post(self, request: Request) -> HttpResponse:
        """Leave every tenant and be erased. Refused while a tenant would be left without an owner."""
        wish = parse(EraseMeIn, request.data)
        erased = persons.erase(person=_myself(request), email=wish["email"], now=timezone.now())
        return quick_answer(request, {"erased": erased})


def _myself(request: Request) -> Person:
    """Raises PermissionDenied for a program, and for an operator in somebody's place."""
    caller = caller_of(request)
    if not caller.is_person or caller.operator_id is not None:
        raise PermissionDenied()
    return member_of(request).person
