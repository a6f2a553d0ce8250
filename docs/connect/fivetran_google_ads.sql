-- Google Ads by Fivetran: the views that send.sql reads. Needs the prebuilt report CAMPAIGN_STATS.
-- Run this once, as the owner of the tables of the pipeline, and again after a change; then send.sql after each sync.
-- Replace google_ads with the schema of your connection.
SET search_path = google_ads;

-- One row a campaign and day: campaign_stats has rows by device and network. Google restates 30 days; 35 are read.
CREATE OR REPLACE VIEW budget_totals AS
SELECT 'google_ads' AS source, stats.customer_id::text AS account, stats.id::text AS campaign,
    COALESCE(MAX(campaign.name), '') AS name, stats.date AS day,
    SUM(stats.cost_micros)::numeric / 1000000 AS total, MAX(stats._fivetran_synced) AS as_of
FROM campaign_stats AS stats
LEFT JOIN LATERAL (
    SELECT name FROM campaign_history AS history WHERE history.id = stats.id ORDER BY updated_at DESC LIMIT 1
) AS campaign ON TRUE
WHERE stats.date >= CURRENT_DATE - 35
GROUP BY stats.customer_id, stats.id, stats.date;

-- One row an account. as_of is the newest row that a sync has brought, and empty while there is none.
CREATE OR REPLACE VIEW budget_accounts AS
SELECT 'google_ads' AS source, account.id::text AS account, COALESCE(account.descriptive_name, '') AS name,
    COALESCE(account.currency_code, '') AS currency, COALESCE(account.time_zone, '') AS timezone,
    CURRENT_DATE - 35 AS from_day,
    (SELECT MAX(as_of) FROM budget_totals AS totals WHERE totals.account = account.id::text) AS as_of
FROM (SELECT DISTINCT ON (id) * FROM account_history ORDER BY id, updated_at DESC) AS account
WHERE NOT account.manager;

-- The role of the connector reads the views only.
GRANT USAGE ON SCHEMA google_ads TO connector;
GRANT SELECT ON budget_totals, budget_accounts TO connector;
