-- PostgreSQL lets everybody make triggers of any function. Of these, which run as their owner, a role that may make a table
-- of its own, be it a temporary one, could make a trigger there and forge pending spend or empty the totals.
-- Firing the ledger's own triggers needs no privilege.
REVOKE ALL ON FUNCTION
    {schema}.campaigns_spend_inserted(),
    {schema}.campaigns_spend_updated(),
    {schema}.campaigns_spend_deleted(),
    {schema}.campaigns_spend_truncated(),
    {schema}.campaigns_brand_inserted(),
    {schema}.campaigns_brand_deleted(),
    {schema}.campaigns_campaign_deleted(),
    {schema}.campaigns_history_updated()
FROM PUBLIC;
