-- Brands whose pending spend can't be added to their totals without waiting, because another transaction locks these.
-- Only PostgreSQL locks rows. Days are those of UTC here, so the day before and after belong to them in some zone.
WITH
spent AS MATERIALIZED (
    SELECT brand_id, campaign_id, DATE '1970-01-01' + quarter / 96 AS day
    FROM campaigns_pendingspend
    GROUP BY brand_id, campaign_id, quarter / 96
),
-- From the month of its earliest pending day on, any period of a brand may be needed.
brand_from AS MATERIALIZED (
    SELECT brand_id, CAST(date_trunc('month', MIN(day) - 1) AS date) AS day FROM spent GROUP BY brand_id
),
brand_total AS MATERIALIZED (
    SELECT total.id, total.brand_id
    FROM campaigns_brandperiod AS total
    JOIN brand_from ON brand_from.brand_id = total.brand_id AND total.starts_on >= brand_from.day
),
campaign_total AS MATERIALIZED (
    SELECT DISTINCT spent.brand_id, total.campaign_id, total.day
    FROM campaigns_campaignday AS total
    JOIN spent ON spent.campaign_id = total.campaign_id AND total.day BETWEEN spent.day - 1 AND spent.day + 1
),
-- What can be locked now isn't locked by anybody else.
free_brand_total AS MATERIALIZED (
    SELECT id FROM campaigns_brandperiod
    WHERE id IN (SELECT id FROM brand_total) FOR NO KEY UPDATE SKIP LOCKED
),
free_campaign_total AS MATERIALIZED (
    SELECT campaign_id, day FROM campaigns_campaignday
    WHERE (campaign_id, day) IN (SELECT campaign_id, day FROM campaign_total) FOR NO KEY UPDATE SKIP LOCKED
)
SELECT brand_id FROM brand_total WHERE id NOT IN (SELECT id FROM free_brand_total)
UNION
SELECT brand_id FROM campaign_total AS total WHERE NOT EXISTS (
    SELECT 1 FROM free_campaign_total AS free WHERE free.campaign_id = total.campaign_id AND free.day = total.day
)
