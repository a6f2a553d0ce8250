-- Meta Ads (Facebook, Instagram) by Fivetran: the views that send.sql reads. Needs the prebuilt report BASIC_AD, by day.
-- Run this once, as the owner of the tables of the pipeline, and again after a change; then send.sql after each sync.
-- Replace facebook_ads with the schema of your connection.
SET search_path = facebook_ads;

-- One row a campaign and day: basic_ad has rows by ad. Meta restates 28 days; 35 are read. Its spend is a float, which is
-- rounded to six decimals.
CREATE OR REPLACE VIEW budget_totals AS
SELECT 'meta_ads' AS source, ad.account_id::text AS account, ad.campaign_id::text AS campaign,
    COALESCE(MAX(campaign.name), '') AS name, report.date AS day,
    SUM(ROUND(report.spend::numeric, 6)) AS total, MAX(report._fivetran_synced) AS as_of
FROM basic_ad AS report
JOIN (SELECT DISTINCT ON (id) * FROM ad_history ORDER BY id, updated_time DESC) AS ad ON ad.id = report.ad_id::bigint
LEFT JOIN LATERAL (
    SELECT name FROM campaign_history AS history WHERE history.id = ad.campaign_id ORDER BY updated_time DESC LIMIT 1
) AS campaign ON TRUE
WHERE report.date >= CURRENT_DATE - 35
GROUP BY ad.account_id, ad.campaign_id, report.date;

-- One row an account. as_of is the newest row that a sync has brought, and empty while there is none.
CREATE OR REPLACE VIEW budget_accounts AS
SELECT 'meta_ads' AS source, account.id::text AS account, COALESCE(account.name, '') AS name,
    COALESCE(account.currency, '') AS currency, COALESCE(account.timezone_name, '') AS timezone,
    CURRENT_DATE - 35 AS from_day,
    (SELECT MAX(as_of) FROM budget_totals AS totals WHERE totals.account = account.id::text) AS as_of
FROM (SELECT DISTINCT ON (id) * FROM account_history ORDER BY id, _fivetran_synced DESC) AS account;

-- The role of the connector reads the views only.
GRANT USAGE ON SCHEMA facebook_ads TO connector;
GRANT SELECT ON budget_totals, budget_accounts TO connector;
