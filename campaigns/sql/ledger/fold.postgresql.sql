-- One batch of a fold: takes pending rows away and adds them to the totals. In one statement, so that rows that are
-- committed while it runs are neither taken nor added.
WITH
-- Stretches of UTC days that lie in one local day of a zone, from Python's zone data.
segment AS MATERIALIZED ({segments}),
-- The accounting time zones of the brands of the batch, found by index.
zone AS MATERIALIZED (
    SELECT brand_id, kind, timezone, first, until
    FROM campaigns_accountingtimezone
    WHERE brand_id = ANY(CAST(%(brands)s AS bigint[]))
),
-- Brands whose zones are all known: neither those without zones, nor those that have moved since the batch was planned.
foldable AS (
    SELECT brand_id FROM zone
    GROUP BY brand_id HAVING COUNT(*) = COUNT(*) FILTER (WHERE timezone = ANY(%(zones)s))
),
-- What was planned and is still there. Another row may lie at an address by now, hence the other conditions.
spent AS (
    DELETE FROM campaigns_pendingspend
    WHERE ctid = ANY(CAST(%(addresses)s AS tid[])) AND id <= %(newest)s
        -- guard: unknown-zones-stay-pending
        AND quarter / 96 = ANY(%(utc_days)s) AND brand_id IN (SELECT brand_id FROM foldable)
    RETURNING brand_id, campaign_id, quarter, quarter / 96 AS utc_day, amount
),
{booked},
campaign_total AS MATERIALIZED (
    SELECT brand_id, campaign_id, starts_on, day_from, CAST(SUM(amount) AS bigint) AS spend
    FROM booked WHERE kind = 'day' GROUP BY brand_id, campaign_id, starts_on, day_from
),
-- The days of a brand are the sums of its campaigns' days.
brand_total AS (
    SELECT brand_id, 'day' AS kind, starts_on, CAST(SUM(spend) AS bigint) AS spend
    FROM campaign_total GROUP BY brand_id, starts_on
    UNION ALL
    SELECT brand_id, 'month', starts_on, CAST(SUM(amount) AS bigint)
    FROM booked WHERE kind = 'month' GROUP BY brand_id, starts_on
),
-- Campaigns and brands that are gone have no totals: their records are gone too. Both are looked up by index.
campaign_days AS (
    INSERT INTO campaigns_campaignday (campaign_id, day, spend)
    SELECT campaign_id, starts_on, spend FROM campaign_total
    WHERE campaign_id IN (
        SELECT id FROM campaigns_campaign WHERE id = ANY(ARRAY(SELECT campaign_id FROM campaign_total))
    )
    -- guard: added-to-campaign-day
    ON CONFLICT (day, campaign_id) DO UPDATE SET spend = campaigns_campaignday.spend + excluded.spend
),
brand_periods AS (
    INSERT INTO campaigns_brandperiod (brand_id, kind, starts_on, spend)
    SELECT brand_id, kind, starts_on, spend FROM brand_total
    WHERE brand_id IN (SELECT id FROM campaigns_brand WHERE id = ANY(ARRAY(SELECT brand_id FROM foldable)))
    -- guard: added-to-brand-period
    ON CONFLICT (kind, starts_on, brand_id) DO UPDATE SET spend = campaigns_brandperiod.spend + excluded.spend
),
-- A brand is due once for each of its days: at once where the day has begun, otherwise when it begins (R3). Days that
-- begin before a quarter are left out if a decision in that quarter has seen all that is folded.
due AS (
    INSERT INTO campaigns_duebrand (brand_id, due_quarter)
    -- guard: due-when-the-day-begins
    SELECT DISTINCT brand_id, day_from FROM campaign_total WHERE day_from >= %(due_from)s
)
SELECT COUNT(*) FROM spent
