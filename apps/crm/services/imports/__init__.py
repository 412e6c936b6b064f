"""Files into contacts and orders.

The upload is read and checked into waiting rows (`files`, `columns`, `rows`, `staging`), so that a
file that cannot be imported, or not by this plan, is refused before it starts. The task merges the
waiting rows batch by batch (`merging`, `batches`): contacts, orders, units of the plan and the
import's own progress commit together, so that a killed worker loses nothing and doubles nothing.

The file lies in the default storage at `<tenant id>/imports/<import id>` until its import has finished or
was cancelled; with the rows of one that stopped it is kept for 30 days, so that it can be resumed
(`sweeping`). What makes a row known: a contact by its external id or its e-mail address; an order by
its external id, else by contact, day, quantity, amount, currency, and its number among equal ones.
"""
