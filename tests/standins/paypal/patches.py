"""JSON Patch as PayPal takes it: listed operations on listed paths, nothing else."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.standins.paypal.errors import PayPalError, missing
from tests.standins.store import Json

Change = Callable[[Json, Any, "re.Match[str]"], None]


def apply(body: Json, patches: Any, allowed: Mapping[str, tuple[str, Change]]) -> None:
    """Apply each patch to `body`. `allowed` maps a path's pattern to operations and a change."""
    if not isinstance(patches, list) or not patches:
        raise PayPalError(400, "MISSING_REQUEST_BODY", "Request body is missing.")
    for patch in patches:
        operations, change, found = _allowed(patch, allowed)
        if patch.get("op") not in operations.split():
            raise PayPalError(
                400,
                "UNSUPPORTED_PATCH_OPERATION",
                "The specified patch operation not supported for this field.",
                field=patch["path"],
            )
        if "value" not in patch and patch["op"] != "remove":
            raise missing(f"{patch['path']}/value")
        change(body, patch.get("value"), found)


def _allowed(
    patch: Json, allowed: Mapping[str, tuple[str, Change]]
) -> tuple[str, Change, "re.Match[str]"]:
    for pattern, (operations, change) in allowed.items():
        found = re.fullmatch(pattern, patch.get("path", ""))
        if found is not None:
            return operations, change, found
    raise PayPalError(
        400,
        "INVALID_PATCH_PATH",
        "The specified field cannot be patched.",
        field=str(patch.get("path", "")),
    )


def set_at(*steps: str) -> Change:
    """Put the value at a place, making the objects on the way."""

    def change(body: Json, value: Any, _: "re.Match[str]") -> None:
        for step in steps[:-1]:
            body = body.setdefault(step, {})
        if value is None:
            body.pop(steps[-1], None)
        else:
            body[steps[-1]] = value

    return change
