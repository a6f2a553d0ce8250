-- PostgreSQL lets everybody make triggers of any function. Of these, which run as their owner, a role that may make a table
-- of its own, be it a temporary one, could make a trigger there and forge pending spend or empty the totals.
-- Firing the ledger's own triggers needs no privilege.
DO $$
DECLARE
    ours regprocedure;
BEGIN
    FOR ours IN
        SELECT oid FROM pg_proc
        WHERE pronamespace = quote_ident(current_schema())::regnamespace AND proname LIKE 'campaigns\_%'
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', ours);
    END LOOP;
END $$;
