"""Citus's schema-based sharding: each tenant's schema on one node, the square's tables on the coordinator.

`lint` and `ddl_lint` say which of our statements a cluster would refuse; `provisioning` has the SQL with
which a schema is distributed. Facts are from Citus 12 and 13: its documentation
(https://docs.citusdata.com/en/stable/develop/reference_workarounds.html,
https://learn.microsoft.com/en-us/postgresql/citus/api-udf) and, where that is silent, the answers that
its own regression tests expect (citusdata/citus, src/test/regress/expected/: query_single_shard_table,
create_single_shard_table, schema_based_sharding), which are named at each rule.
"""
