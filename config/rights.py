"""What roles may do with the square's tables: each package declares its own in `rights.py`.

`tenants/preparing.py` collects the declarations and makes grants and row security of them. Tables that
nobody declares are the square's alone.
"""

from dataclasses import dataclass

# Of pg_catalog, taken from PUBLIC, for the owner alone. With `set_config` an injected SELECT could take
# another tenant's role, and at the square change what the connection's next user finds set (the engine
# itself says SET, which needs no right); a lock of a session outlives its transaction, and so could
# hold up a neighbour (locks of a transaction stay: tenants' requests take them); a large object
# belongs to no schema, so nothing would count or erase it.
CLOSED_FUNCTIONS = (
    "set_config(text, text, boolean)",
    *("lo_creat(integer)", "lo_create(oid)", "lo_from_bytea(oid, bytea)"),
    *(
        f"pg_{kind}advisory_lock{shared}({key})"
        for kind in ("", "try_")
        for shared in ("", "_shared")
        for key in ("bigint", "integer, integer")
    ),
)


@dataclass(frozen=True, slots=True)
class TableRights:
    """Who besides the square may touch `table`.

    `stall` are a tenant's rights on rows whose `by` is its id ("SELECT", "SELECT, INSERT"); `lookup`
    tells that the lookup role may read all rows. A table with `by` has row security, forced.
    """

    table: str
    stall: str = ""
    by: str = "tenant_id"
    lookup: bool = False


@dataclass(frozen=True, slots=True)
class Function:
    """A SECURITY DEFINER function of the schema `plaza`: a tenant's only way to write on the square.

    `signature` is `name(types)`; `sql` creates or replaces it, schema-qualified throughout. An inner
    one is called by the others alone: nobody else may execute it.
    """

    signature: str
    sql: str
    is_inner: bool = False


@dataclass(frozen=True, slots=True)
class Trigger:
    """A promise that the database keeps of `table`, for each row: `when` it calls `plaza.<function>`.

    A deferred one looks at the commit. The function is declared beside it, as an inner one.
    """

    name: str
    table: str
    when: str
    function: str
    arguments: tuple[str, ...] = ()
    is_deferred: bool = False

    @property
    def sql(self) -> str:
        """The statement that makes it; names and arguments are ours, never a client's."""
        kind = "CONSTRAINT TRIGGER" if self.is_deferred else "TRIGGER"
        deferred = "DEFERRABLE INITIALLY DEFERRED " if self.is_deferred else ""
        given = ", ".join(f"'{each}'" for each in self.arguments)
        return (
            f"CREATE {kind} {self.name} {self.when} ON public.{self.table} {deferred}"
            f"FOR EACH ROW EXECUTE FUNCTION plaza.{self.function}({given})"
        )


ENQUEUE = Function(
    signature="enqueue(text, text, text, text, text)",
    sql="""
CREATE OR REPLACE FUNCTION plaza.enqueue(id text, task text, arguments text, headers text, seal text)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM plaza.check_seal(seal, 'enqueue', id, task, arguments, headers);
    INSERT INTO public.config_outboxmessage (id, task, arguments, headers)
    VALUES (enqueue.id::uuid, enqueue.task, enqueue.arguments::jsonb, enqueue.headers::jsonb);
END $$;
""",
)
DEQUEUE = Function(
    signature="dequeue(text, text)",
    sql="""
CREATE OR REPLACE FUNCTION plaza.dequeue(id text, seal text)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM plaza.check_seal(seal, 'dequeue', id);
    DELETE FROM public.config_outboxmessage AS message WHERE message.id = dequeue.id::uuid;
END $$;
""",
)
PROMISE = Function(
    signature="promise(text, text, text, text, text, text)",
    sql="""
CREATE OR REPLACE FUNCTION plaza.promise(
    id text, task text, arguments text, headers text, due_at text, seal text
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM plaza.check_seal(seal, 'promise', id, task, arguments, headers, due_at);
    INSERT INTO public.config_outboxmessage (id, task, arguments, headers, created_at)
    VALUES (promise.id::uuid, promise.task, promise.arguments::jsonb, promise.headers::jsonb,
            due_at::timestamptz);
END $$;
""",
)
CALL_OFF = Function(
    signature="call_off(text, text)",
    sql="""
CREATE OR REPLACE FUNCTION plaza.call_off(id text, seal text)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
-- Whether it was still kept: what the sweeper has sent can be called off no more.
BEGIN
    PERFORM plaza.check_seal(seal, 'call_off', id);
    DELETE FROM public.config_outboxmessage AS message WHERE message.id = call_off.id::uuid;
    RETURN FOUND;
END $$;
""",
)

RIGHTS = (
    TableRights("config_keptanswer", stall="SELECT, INSERT"),
    TableRights("config_preparedrelease", by="", lookup=True),
)
FUNCTIONS = (ENQUEUE, DEQUEUE, PROMISE, CALL_OFF)
KEEPER_TABLES = ("config_outboxmessage",)
