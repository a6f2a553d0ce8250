-- Meta Ads (Facebook, Instagram) by Airbyte: the views that send.sql reads. Needs the streams ads_insights, without
-- breakdowns, and ad_account.
-- Run this once, as the owner of the tables of the pipeline, and again after a change; then send.sql after each sync.
-- Replace facebook_marketing with the schema of your connection.
SET search_path = facebook_marketing;

-- One row a campaign and day: ads_insights has rows by ad; where a sync appends, a row comes again each time, and the newest
-- counts. Meta restates 28 days; 35 are read.
CREATE OR REPLACE VIEW budget_totals AS
SELECT 'meta_ads' AS source, account_id::text AS account, campaign_id::text AS campaign,
    COALESCE((ARRAY_AGG(campaign_name ORDER BY _airbyte_extracted_at DESC))[1], '') AS name, date_start::date AS day,
    SUM(ROUND(spend::numeric, 6)) AS total, MAX(_airbyte_extracted_at) AS as_of
FROM (
    SELECT DISTINCT ON (account_id, campaign_id, ad_id, date_start) *
    FROM ads_insights
    WHERE date_start::date >= CURRENT_DATE - 35
    ORDER BY account_id, campaign_id, ad_id, date_start, _airbyte_extracted_at DESC
) AS insights
GROUP BY account_id, campaign_id, date_start;

-- One row an account. as_of is the newest row that a sync has brought, and empty while there is none.
CREATE OR REPLACE VIEW budget_accounts AS
SELECT 'meta_ads' AS source, account.account_id::text AS account, COALESCE(account.name, '') AS name,
    COALESCE(account.currency, '') AS currency, COALESCE(account.timezone_name, '') AS timezone,
    CURRENT_DATE - 35 AS from_day,
    (SELECT MAX(as_of) FROM budget_totals AS totals WHERE totals.account = account.account_id::text) AS as_of
FROM (
    SELECT DISTINCT ON (account_id) * FROM ad_account ORDER BY account_id, _airbyte_extracted_at DESC
) AS account;

-- The role of the connector reads the views only.
GRANT USAGE ON SCHEMA facebook_marketing TO connector;
GRANT SELECT ON budget_totals, budget_accounts TO connector;
