DROP FUNCTION IF EXISTS
    {schema}.campaigns_total_skipped(),
    {schema}.campaigns_total_to_book(),
    {schema}.campaigns_total_restated(),
    {schema}.campaigns_total_refused(),
    {schema}.campaigns_total_delete_guard(),
    {schema}.campaigns_totals_truncated(),
    {schema}.campaigns_total_unbooked(),
    {schema}.campaigns_total_unassigned(),
    {schema}.campaigns_link_kept(),
    {schema}.campaigns_link_of_account_kept(),
    {schema}.campaigns_account_without_brand()
CASCADE;
