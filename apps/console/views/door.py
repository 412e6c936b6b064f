"""The second half of the console's door: operators prove a second factor, or set up their first one."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache

from config.errors import DomainError
from config.handlers import refusal
from tenants.identity import operators, second_factor
from tenants.identity.refusals import SecondFactorInvalid, SecondFactorNotSetUp
from tenants.models import Person
from tenants.trail.actions import Action
from tenants.trail.masking import masked
from tenants.trail.recording import Subject, record_for_operators

HOME, PAGE, DOOR = "/console/", "/console/second-factor/", "/console/login/"


@never_cache
def second_step(request: HttpRequest) -> HttpResponse:
    """`/console/second-factor/?next=`: the code; at the first time also the app's key."""
    operator, onward = request.user, _onward(request)
    if not (isinstance(operator, Person) and operator.is_active and operator.is_staff):
        return HttpResponseRedirect(DOOR)
    return (
        _shown(request, operator, onward)
        if request.method == "POST"
        else _form(request, operator, onward)
    )


def _shown(request: HttpRequest, operator: Person, onward: str) -> HttpResponse:
    """In, or the form again; the first time the recovery codes come between."""
    try:
        codes = operators.prove(
            request, operator=operator, code=request.POST.get("otp", ""), now=timezone.now()
        )
    except (SecondFactorInvalid, SecondFactorNotSetUp) as error:
        note(operator.email, is_let_in=False)
        return _form(request, operator, onward, error=error)
    except DomainError as error:
        return refusal(request, error)
    note(operator.email, is_let_in=True)
    if not codes:
        return HttpResponseRedirect(onward)
    facts = {"codes": codes, "onward": onward}
    return render(request, "identity/operator_factor.html", facts)


def note(email: str, *, is_let_in: bool) -> None:
    """In the operators' trail, whether or not there is such an operator."""
    action = Action.SIGN_IN_SUCCEEDED if is_let_in else Action.SIGN_IN_FAILED
    record_for_operators(action, Subject("person", "", masked(email[:254])))


def _form(
    request: HttpRequest, operator: Person, onward: str, *, error: DomainError | None = None
) -> HttpResponse:
    now = timezone.now()
    facts: dict[str, Any] = {"onward": onward, "error": error}
    if not second_factor.is_set_up(operator):
        # After a mistyped code the same key again, as the form brought it along.
        shown = request.POST.get("secret") if error else None
        secret = shown or second_factor.begin(person=operator, now=now)
        uri = second_factor.address_of_app(person=operator, secret=secret)
        facts |= {"secret": secret, "uri": uri}
    facts["shown_code"] = operators.shown_code(operator, now=now)
    status = error.status if error else 200
    return render(request, "identity/operator_factor.html", facts, status=status)


def _onward(request: HttpRequest) -> str:
    given = request.POST if request.method == "POST" else request.GET
    path = given.get("next", "")
    is_ours = path.startswith(HOME) and url_has_allowed_host_and_scheme(path, allowed_hosts=None)
    return path if is_ours else HOME
