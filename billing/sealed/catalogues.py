"""What the database itself keeps of the catalogue: a version that was for sale stays as it was."""

from config.rights import Function

KEEP_VERSION = Function(
    signature="keep_version()",
    is_inner=True,
    sql="""
CREATE OR REPLACE FUNCTION plaza.keep_version()
RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
-- Subscribers are billed by it, and their invoices name it.
BEGIN
    RAISE integrity_constraint_violation
        USING MESSAGE = format('version %s of the catalogue is kept as it is', OLD.version);
END $$;
""",
)
