"""Which tables hold something that a test may have left there."""

MIGRATED = ("django_migrations", "django_content_type", "auth_permission")
# Each with the table that the program knows, of which it may be a part. They are told by their files, which
# row security does not hide. Asks for the names of schemas, and of tables that are kept.
WRITTEN = """
SELECT oid::regclass::text, coalesce(pg_partition_root(oid), oid)::regclass::text FROM pg_class
 WHERE relnamespace = ANY(%s::regnamespace[]) AND relname <> ALL(%s)
   AND relkind = 'r' AND pg_relation_size(oid) > 0
"""
