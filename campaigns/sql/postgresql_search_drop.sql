DROP FUNCTION IF EXISTS
    {schema}.campaigns_search_inserted(),
    {schema}.campaigns_search_updated(),
    {schema}.campaigns_search_deleted(),
    {schema}.campaigns_search_truncated(),
    {schema}.campaigns_search_text(text),
    {schema}.campaigns_search_pattern(text)
CASCADE;
DROP TABLE IF EXISTS {schema}.campaigns_brandsearch, {schema}.campaigns_campaignsearch;
