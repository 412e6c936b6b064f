"""What the database itself keeps of the books: nothing is rewritten, entries balance, numbers have no gaps.

The functions run as whoever writes, and have no door of their own: triggers alone call them.
"""

from config.rights import Function

REFUSE_REWRITING = Function(
    signature="refuse_rewriting()",
    is_inner=True,
    sql="""
CREATE OR REPLACE FUNCTION plaza.refuse_rewriting()
RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
-- The trigger's arguments are the columns that may change. A row goes when its years are over and its
-- tenant is gone.
DECLARE
    free text[] := coalesce(TG_ARGV, '{}');  -- null where there are none
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF to_jsonb(NEW) - free IS DISTINCT FROM to_jsonb(OLD) - free THEN
            RAISE integrity_constraint_violation
                USING MESSAGE = format('%s %s is not rewritten', TG_TABLE_NAME, OLD.id);
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.kept_until > now()
       OR EXISTS (SELECT FROM public.tenants_tenant AS tenant WHERE tenant.id = OLD.tenant_id) THEN
        RAISE integrity_constraint_violation
            USING MESSAGE = format('%s %s is kept until %s', TG_TABLE_NAME, OLD.id, OLD.kept_until);
    END IF;
    RETURN OLD;
END $$;
""",
)
REFUSE_ADDITION = Function(
    signature="refuse_addition()",
    is_inner=True,
    sql="""
CREATE OR REPLACE FUNCTION plaza.refuse_addition()
RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
-- Parts are written before their whole (arguments: its table, and the column that names it), so that
-- nothing is added to what stands.
DECLARE
    stands boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT FROM public.%I WHERE id = $1)', TG_ARGV[0])
       INTO stands USING (to_jsonb(NEW) ->> TG_ARGV[1])::uuid;
    IF stands THEN
        RAISE integrity_constraint_violation
            USING MESSAGE = format('nothing is added to a %s that stands', TG_ARGV[0]);
    END IF;
    RETURN NEW;
END $$;
""",
)
MOVE_BALANCE = Function(
    signature="move_balance()",
    is_inner=True,
    sql="""
CREATE OR REPLACE FUNCTION plaza.move_balance()
RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
-- Postings go with their account alone (billing/books/retention.py), so only an insert moves it.
BEGIN
    UPDATE public.billing_account AS account
       SET balance_minor = account.balance_minor + NEW.amount_minor
     WHERE account.id = NEW.account_id AND account.currency = NEW.currency
       AND account.tenant_id = NEW.tenant_id;
    IF NOT FOUND THEN
        RAISE integrity_constraint_violation
            USING MESSAGE = 'a posting is of its account''s tenant and currency';
    END IF;
    RETURN NULL;
END $$;
""",
)
KEEP_BALANCE = Function(
    signature="keep_balance()",
    is_inner=True,
    sql="""
CREATE OR REPLACE FUNCTION plaza.keep_balance()
RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
-- An account begins at nothing; at depth 1 it is no posting that moves the balance.
BEGIN
    IF (TG_OP = 'INSERT' AND NEW.balance_minor <> 0)
       OR (TG_OP = 'UPDATE' AND pg_trigger_depth() = 1) THEN
        RAISE integrity_constraint_violation
            USING MESSAGE = 'an account''s balance moves with its postings alone';
    END IF;
    RETURN NEW;
END $$;
""",
)
CHECK_BALANCED = Function(
    signature="check_balanced()",
    is_inner=True,
    sql="""
CREATE OR REPLACE FUNCTION plaza.check_balanced()
RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
-- The trigger's argument is the column that names the entry.
DECLARE
    entry uuid := (to_jsonb(coalesce(NEW, OLD)) ->> TG_ARGV[0])::uuid;
BEGIN
    IF NOT EXISTS (SELECT FROM public.billing_journalentry AS one WHERE one.id = entry) THEN
        RETURN NULL;  -- forgotten with its postings; one without its entry a foreign key refuses
    END IF;
    IF (SELECT count(*) FROM public.billing_posting AS p WHERE p.entry_id = entry) < 2
       OR EXISTS (SELECT FROM public.billing_posting AS p WHERE p.entry_id = entry
                   GROUP BY p.currency HAVING sum(p.amount_minor) <> 0) THEN
        RAISE integrity_constraint_violation
            USING MESSAGE = format('entry %s does not balance', entry);
    END IF;
    RETURN NULL;
END $$;
""",
)
CHECK_LINES = Function(
    signature="check_lines()",
    is_inner=True,
    sql="""
CREATE OR REPLACE FUNCTION plaza.check_lines()
RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.subtotal_minor <> (SELECT coalesce(sum(line.amount_minor), 0)
                                FROM public.billing_invoiceline AS line WHERE line.invoice_id = NEW.id)
       OR NEW.tax_minor <> (SELECT coalesce(sum(tax.amount_minor), 0)
                              FROM public.billing_invoicetax AS tax WHERE tax.invoice_id = NEW.id) THEN
        RAISE integrity_constraint_violation
            USING MESSAGE = format('invoice %s is not the sum of its lines', NEW.reference);
    END IF;
    RETURN NULL;
END $$;
""",
)
KEEP_NUMBERS = Function(
    signature="keep_numbers()",
    is_inner=True,
    sql="""
CREATE OR REPLACE FUNCTION plaza.keep_numbers()
RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
-- A series begins at nothing and goes on by one.
BEGIN
    IF TG_OP = 'INSERT' AND NEW.last = 0 AND NEW.forgotten = 0 THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' AND (NEW.issuer, NEW.series) = (OLD.issuer, OLD.series)
       AND NEW.last - OLD.last IN (0, 1) AND NEW.forgotten BETWEEN OLD.forgotten AND NEW.last THEN
        RETURN NEW;
    END IF;
    RAISE integrity_constraint_violation USING MESSAGE = 'numbers follow one upon another';
END $$;
""",
)
CHECK_NUMBER = Function(
    signature="check_number()",
    is_inner=True,
    sql="""
CREATE OR REPLACE FUNCTION plaza.check_number()
RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
-- At the commit the number that was taken stands on a document.
BEGIN
    IF NEW.last > OLD.last AND NOT (
        CASE NEW.series
        WHEN 'invoice' THEN EXISTS (SELECT FROM public.billing_invoice AS one
                                     WHERE one.issuer = NEW.issuer AND one.number = NEW.last)
        ELSE EXISTS (SELECT FROM public.billing_creditnote AS one
                      WHERE one.issuer = NEW.issuer AND one.number = NEW.last)
        END) THEN
        RAISE integrity_constraint_violation
            USING MESSAGE = format('number %s of %s is on no document', NEW.last, NEW.issuer);
    END IF;
    RETURN NULL;
END $$;
""",
)
FUNCTIONS = (
    *(REFUSE_REWRITING, REFUSE_ADDITION, MOVE_BALANCE, KEEP_BALANCE),
    *(CHECK_BALANCED, CHECK_LINES, KEEP_NUMBERS, CHECK_NUMBER),
)
