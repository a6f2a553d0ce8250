-- Google Ads by Airbyte: the views that send.sql reads. Needs the streams campaign and customer.
-- Run this once, as the owner of the tables of the pipeline, and again after a change; then send.sql after each sync.
-- Replace google_ads with the schema of your connection.
SET search_path = google_ads;

-- One row a campaign and day. The stream has rows by network and, in newer versions, by hour; where a sync appends, a row
-- comes again each time, and the newest counts. Google restates 30 days; 35 are read.
CREATE OR REPLACE VIEW budget_totals AS
SELECT 'google_ads' AS source, "customer.id"::text AS account, "campaign.id"::text AS campaign,
    COALESCE((ARRAY_AGG("campaign.name" ORDER BY _airbyte_extracted_at DESC))[1], '') AS name,
    "segments.date"::date AS day,
    SUM("metrics.cost_micros")::numeric / 1000000 AS total, MAX(_airbyte_extracted_at) AS as_of
FROM (
    SELECT DISTINCT ON (
            "customer.id", "campaign.id", "segments.date", to_jsonb(each) ->> 'segments.hour',
            to_jsonb(each) ->> 'segments.ad_network_type'
        ) *
    FROM campaign AS each
    WHERE "segments.date"::date >= CURRENT_DATE - 35
    ORDER BY "customer.id", "campaign.id", "segments.date", to_jsonb(each) ->> 'segments.hour',
        to_jsonb(each) ->> 'segments.ad_network_type', _airbyte_extracted_at DESC
) AS stats
GROUP BY "customer.id", "campaign.id", "segments.date";

-- One row an account. as_of is the newest row that a sync has brought, and empty while there is none.
CREATE OR REPLACE VIEW budget_accounts AS
SELECT 'google_ads' AS source, account."customer.id"::text AS account,
    COALESCE(account."customer.descriptive_name", '') AS name,
    COALESCE(account."customer.currency_code", '') AS currency, COALESCE(account."customer.time_zone", '') AS timezone,
    CURRENT_DATE - 35 AS from_day,
    (SELECT MAX(as_of) FROM budget_totals AS totals WHERE totals.account = account."customer.id"::text) AS as_of
FROM (
    SELECT DISTINCT ON ("customer.id") * FROM customer ORDER BY "customer.id", _airbyte_extracted_at DESC
) AS account
WHERE NOT COALESCE(account."customer.manager", FALSE);

-- The role of the connector reads the views only.
GRANT USAGE ON SCHEMA google_ads TO connector;
GRANT SELECT ON budget_totals, budget_accounts TO connector;
