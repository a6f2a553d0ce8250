DROP FUNCTION IF EXISTS
    {schema}.campaigns_spend_inserted(),
    {schema}.campaigns_spend_updated(),
    {schema}.campaigns_spend_deleted(),
    {schema}.campaigns_spend_truncated(),
    {schema}.campaigns_brand_inserted(),
    {schema}.campaigns_brand_deleted(),
    {schema}.campaigns_campaign_deleted(),
    {schema}.campaigns_history_updated(),
    {schema}.campaigns_renamed(),
    {schema}.campaigns_brand_currency_guard()
CASCADE;
