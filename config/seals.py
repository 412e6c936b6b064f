"""Seals of calls to the database's functions: only we can make one, so injected SQL cannot call them.

A tenant's role may execute `plaza.consume` and the like, which write on the square. Each call carries
a seal over its name and arguments; the function computes it again with a key that only the
functions' owner can read. NMAC: SHA-256(key, SHA-256(key, message)), which PostgreSQL has built in.
"""

import hashlib

from django.conf import settings

_SEPARATOR, _NULL = "\x1f", "\x1e"


def seal(function: str, *arguments: str | None) -> str:
    """The seal, as hex, of one call with these arguments as text; None is SQL's NULL.

    Raises ValueError where an argument holds one of the two separating characters.
    """
    if any(each is not None and {_SEPARATOR, _NULL} & set(each) for each in arguments):
        raise ValueError("A sealed argument holds a separating control character.")
    parts = (function, *(_NULL if each is None else each for each in arguments))
    message = _SEPARATOR.join(parts).encode()
    key = settings.PLAZA_DB_KEY.encode()
    return hashlib.sha256(key + hashlib.sha256(key + message).digest()).hexdigest()


def sealed(function: str, *arguments: str | None) -> tuple[str, list[str | None]]:
    """`SELECT plaza.function(…)` and its parameters, the seal last."""
    holes = ", ".join(["%s"] * (len(arguments) + 1))
    return f"SELECT plaza.{function}({holes})", [*arguments, seal(function, *arguments)]
