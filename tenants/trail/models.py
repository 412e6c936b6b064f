"""A tenant's sealed trail, in its own schema.

One plain table, pruned by month, instead of a part for each month: parts would cost every one of
thousands of tenants a table and four indexes a month (a year of them is all that a schema may have),
and most tenants record some hundred rows a month. Rows leave as they came, from the low end of
`number`, in batches that end at a month's first moment, so the pages that they free are taken again.
"""

from typing import Any, ClassVar

from django.db import models

from tenants.models.trail import TrailRow
from tenants.querysets import StallModel, StallQuerySet


class TrailEvent(StallModel, TrailRow):
    """One act of the tenant's people, programs, or of operators at it. Runtime roles may read it, no more."""

    objects: ClassVar[Any] = StallQuerySet.as_manager()

    class Meta:
        db_table = "trail_event"
        indexes = [
            models.Index(fields=["recorded_at"], name="trail_event_at"),
            models.Index(fields=["actor_id", "number"], name="trail_event_of_actor"),
            models.Index(fields=["object_id", "number"], name="trail_event_of_object"),
            models.Index(fields=["action", "number"], name="trail_event_of_action"),
        ]
