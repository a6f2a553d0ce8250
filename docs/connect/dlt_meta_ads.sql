-- Meta Ads (Facebook, Instagram) by dlt: the views that send.sql reads. Needs the resources facebook_insights and campaigns.
-- Run this once, as the owner of the tables of the pipeline, and again after a change; then send.sql after each sync.
-- Replace facebook_ads with your dataset. dlt doesn't bring the account: fill in its id, name, currency and time zone below.
SET search_path = facebook_ads;

-- The account of this dataset, and the newest load that is complete.
CREATE OR REPLACE VIEW budget_accounts AS
SELECT 'meta_ads' AS source, '1234567890' AS account, 'Acme' AS name, 'USD' AS currency, 'America/New_York' AS timezone,
    CURRENT_DATE - 35 AS from_day,
    (
        SELECT MAX(load.inserted_at)
        FROM _dlt_loads AS load
        WHERE load.status = 0 AND load.load_id IN (SELECT _dlt_load_id FROM facebook_insights)
    ) AS as_of;

-- One row a campaign and day: facebook_insights has rows by ad. Meta restates 28 days; 35 are read. Rows of a load that
-- isn't complete wait for it.
CREATE OR REPLACE VIEW budget_totals AS
SELECT account.source, account.account, insights.campaign_id::text AS campaign, COALESCE(MAX(campaign.name), '') AS name,
    insights.date_start::date AS day, SUM(ROUND(insights.spend::numeric, 6)) AS total, MAX(load.inserted_at) AS as_of
FROM facebook_insights AS insights
JOIN _dlt_loads AS load ON load.load_id = insights._dlt_load_id AND load.status = 0
LEFT JOIN campaigns AS campaign ON campaign.id::text = insights.campaign_id::text
CROSS JOIN budget_accounts AS account
WHERE insights.date_start::date >= account.from_day
GROUP BY account.source, account.account, insights.campaign_id, insights.date_start::date;

-- The role of the connector reads the views only.
GRANT USAGE ON SCHEMA facebook_ads TO connector;
GRANT SELECT ON budget_totals, budget_accounts TO connector;
