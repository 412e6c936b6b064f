"""Tasks of two tenants in every way that Celery links them; a real worker runs this file as its app.

Each writes down where it ran. Nothing here is imported by the tests themselves.
"""

import json
from typing import Any

import redis
from celery import Task, chain, chord, group
from celery.signals import task_postrun
from django.conf import settings
from django.db import connection

from config.celery import app
from config.context import current_tenant, whose
from config.logs import logger
from config.messages import TENANT_HEADER, at_work
from config.needs import Needs

HEARD = "mixed_work:heard"
PLAIN = Needs(meter=None)
app.conf.update(result_backend=settings.REDIS_URL, task_ignore_result=False)
server = redis.Redis.from_url(settings.REDIS_URL)


def whoami() -> list[str]:
    """The tenant in force, the role and the schema; or the exception that asking raises."""
    tenant = current_tenant()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user::text, current_schema()::text")
            return [tenant.slug if tenant else "nobody", *cursor.fetchone()]
    except Exception as error:  # noqa: BLE001 - it is the answer
        return [type(error).__name__]


def hear(what: str, expected: str) -> None:
    server.rpush(HEARD, json.dumps([what, expected, whoami()]))


@app.task(name="mixed.step", needs=PLAIN)
def step(*, what: str, expected: str) -> None:
    hear(what, expected)


@app.task(name="mixed.stumble", needs=PLAIN, bind=True, max_retries=2)
def stumble(self: Task[Any, Any], *, expected: str) -> None:
    """Works the third time."""
    hear("retry", expected)
    if self.request.retries < 2:
        raise self.retry(countdown=0.05)


@app.task(name="mixed.fall", needs=PLAIN)
def fall(*, expected: str) -> None:
    hear("fall", expected)
    raise ValueError(expected)


@app.task(name="mixed.on_square", public=True)
def on_square(*, expected: str) -> None:
    """A task of the square, which no tenant's message makes a tenant's."""
    hear("square", "nobody")
    step.apply_async(
        kwargs={"what": "from square", "expected": expected},
        headers={TENANT_HEADER: at_work(TENANT_HEADER)},
    )
    try:
        step.apply_async(kwargs={"what": "from square", "expected": expected})
    except RuntimeError as error:
        server.rpush(HEARD, json.dumps(["for nobody", "", [type(error).__name__]]))


@app.task(name="mixed.start", needs=PLAIN)
def start(*, kind: str, expected: str) -> None:
    """Send what `kind` is made of: the canvases know nothing of tenants."""

    def said(what: str) -> Any:
        return step.si(what=what, expected=expected)

    hear("start", expected)
    match kind:
        case "chain":
            chain(said("chain"), said("chain"), said("chain")).apply_async()
        case "chord":
            chord([said("header"), said("header")], said("body")).apply_async()
        case "nested":
            chain(
                said("nested"), group(said("nested"), said("nested")), said("nested")
            ).apply_async()
        case "retry":
            stumble.apply_async(kwargs={"expected": expected})
        case "fall":
            fall.apply_async(kwargs={"expected": expected}, link_error=said("errback"))
        case "square":
            on_square.apply_async(kwargs={"expected": expected})


@task_postrun.connect
def afterwards(sender: Any = None, kwargs: Any = None, **_: Any) -> None:
    """Celery's signal comes when the tenant has been left."""
    if sender.name == fall.name:
        try:
            whose()
        except RuntimeError as error:
            logger(__name__).warning("fall.ended")
            server.rpush(
                HEARD, json.dumps(["after", kwargs["expected"], [type(error).__name__, *whoami()]])
            )
