"""Files into contacts and orders.

The upload is read and checked into waiting rows (`files`, `columns`, `rows`, `staging`), so that a
file that cannot be imported, or not by this plan, is refused before it starts. The task merges the
waiting rows batch by batch (`merging`, `batches`): contacts, orders, units of the plan and the
import's own progress commit together, so that a killed worker loses nothing and doubles nothing.
"""
