"""Python's collector of cycles in a server: what is loaded at the start is not looked at again and again.

Django, its applications and their views are some hundred thousand objects that stay. A full collection
walks through all of them while every thread of the process stands still: 100 to 150 ms, about once in a
hundred requests that make many objects: the p99 of an ordinary list was 180 ms, and is 63 ms.
"""

import gc

# Objects made and not yet freed before the young ones are looked at; Python's own 700 is less than a request makes.
_YOUNG = 10_000


def settle() -> None:
    """What is there now stays for the life of this process: after everything is loaded."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, *gc.get_threshold()[1:])
