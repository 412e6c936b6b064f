"""Transactions where they are needed, and no messages for them where they are not."""

from contextlib import AbstractContextManager, nullcontext

from django.db import connection, transaction


def recoverable() -> AbstractContextManager[None]:
    """For one statement that a constraint may refuse, after which the database is asked why.

    Inside a transaction it needs a savepoint; a lone statement is a transaction of its own.
    """
    return transaction.atomic() if connection.in_atomic_block else nullcontext()
