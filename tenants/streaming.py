"""Streamed answers: their bodies are made after the middleware returned, and still in the tenant's context."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextvars import Context, copy_context
from functools import partial
from typing import Any

from django.http import HttpResponse
from django.http.response import FileResponse, HttpResponseBase, StreamingHttpResponse

_END: Any = object()


def kept_here(response: HttpResponse) -> HttpResponse:
    """The same response; a streamed body is made, and closed, in the context of this call."""
    streamed: HttpResponseBase = response
    if isinstance(streamed, StreamingHttpResponse):
        here = copy_context()
        body: Any = streamed.streaming_content
        if streamed.is_async:
            streamed.streaming_content = _async_parts(here, aiter(body))
        elif not isinstance(streamed, FileResponse):  # the server may send a file by itself
            streamed.streaming_content = _parts(here, iter(body))
        streamed.close = partial(here.run, streamed.close)  # type: ignore[method-assign]
    return response


def _parts(here: Context, body: Iterator[bytes]) -> Iterator[bytes]:
    while (part := here.run(next, body, _END)) is not _END:
        yield part


async def _async_parts(here: Context, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async def step() -> Any:
        return await anext(body, _END)

    # A task is the only thing that awaits in a context which is not its caller's.
    while (part := await asyncio.create_task(step(), context=here)) is not _END:
        yield part
