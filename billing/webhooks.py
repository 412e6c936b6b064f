"""Where providers knock: prove it, keep it, answer. The work is `billing.handle_webhook`'s."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from billing import providers
from billing.services import webhooks
from config.api import problem_response
from config.errors import DomainError, MethodNotAllowed, PayloadTooLarge
from config.needs import Needs, needs
from tenants.identity.throttles import by_address, limited

LARGEST_BODY_BYTES = 1024 * 1024
# Above what a provider sends in a burst: it sends again what was refused, so nothing is lost by it.
PER_ADDRESS = "3000/m"
_OPEN = Needs(public=True, critical=True, meter=None)


@csrf_exempt
@needs(_OPEN)
def stripe(request: HttpRequest) -> HttpResponse:
    """Stripe's events."""
    return _received(request, "stripe")


@csrf_exempt
@needs(_OPEN)
def paypal(request: HttpRequest) -> HttpResponse:
    """PayPal's events."""
    return _received(request, "paypal")


def _received(request: HttpRequest, provider: str) -> HttpResponse:
    """200 once the event is stored, also when it was before. What flies (the database is away) is a 5xx.

    No tenant's state is asked: an event tells the square what was paid, and a suspended tenant's payment
    may be what resumes it. Its address alone is limited.

    Plain functions have no translator of refusals, hence the try.
    """
    try:
        limited(request, group=f"webhook {provider}", keys=by_address(request), rate=PER_ADDRESS)
        body = _body(request)
        now = timezone.now()
        event = providers.gateway(provider).verified_event(
            body=body, headers=request.headers, now=now
        )
        is_new = webhooks.keep(event, now=now)
    except DomainError as refusal:
        answer = problem_response(refusal)
        if isinstance(refusal, MethodNotAllowed):
            answer["Allow"] = "POST"
        return answer
    return JsonResponse({"received": True, "duplicate": not is_new})


def _body(request: HttpRequest) -> bytes:
    if request.method != "POST":
        raise MethodNotAllowed()
    # Asked before anything is read; the server reads no more than the length says.
    if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST_BODY_BYTES:
        raise PayloadTooLarge(limit_bytes=LARGEST_BODY_BYTES)
    return request.body
