"""Numbers without a gap: the issuer's counter is locked until the document that took one is committed."""

from django.db import connection

from billing.models import NumberSequence

# Taken last in a transaction: all who issue for one issuer queue on this row.
_BEGIN = """
INSERT INTO billing_numbersequence (issuer, series, last, forgotten) VALUES (%s, %s, 0, 0)
ON CONFLICT (issuer, series) DO NOTHING
"""
_NEXT = """
UPDATE billing_numbersequence SET last = last + 1 WHERE issuer = %s AND series = %s RETURNING last
"""


def take(*, issuer: str, series: NumberSequence.Series) -> int:
    """The next number, in the transaction of the document that will stand under it."""
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, [issuer, series])
        found = cursor.fetchone()
        if found is None:
            cursor.execute(_BEGIN, [issuer, series])
            cursor.execute(_NEXT, [issuer, series])
            found = cursor.fetchone()
    return int(found[0])
