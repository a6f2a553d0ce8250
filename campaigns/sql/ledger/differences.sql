-- Totals that aren't the sums of the rows: what each lacks, and what the rows say.
WITH
-- Stretches of UTC days that lie in one local day of a zone, from Python's zone data.
segment AS MATERIALIZED ({segments}),
zone AS (
    SELECT brand_id, kind, timezone, first, until FROM campaigns_accountingtimezone
),
-- What should be folded: the records, less what is pending.
spent AS MATERIALIZED (
    SELECT brand_id, campaign_id, quarter, quarter / 96 AS utc_day, SUM(amount) AS amount
    FROM (
        SELECT id, brand_id, campaign_id, {quarter} AS quarter, {micros} AS amount
        FROM campaigns_spendrecord WHERE {in_scope} AND timestamp >= %(rows_from)s
        UNION ALL
        -- guard: verified-without-pending
        SELECT id, brand_id, campaign_id, quarter, -amount FROM campaigns_pendingspend WHERE {in_scope}
    ) AS changes
    GROUP BY brand_id, campaign_id, quarter{group_large_amounts_separately}
),
{booked},
-- Campaigns and brands that are gone have no totals.
campaign_days AS (
    SELECT campaign_id, starts_on, {sum}(amount) AS lacks, {sum}(found) AS found
    FROM (
        SELECT campaign_id, starts_on, amount, amount AS found FROM booked WHERE kind = 'day'
        UNION ALL
        -- guard: verified-campaign-days
        SELECT campaign_id, day, -spend, 0 FROM campaigns_campaignday WHERE {campaign_in_scope}
    ) AS both_sides
    WHERE starts_on >= %(first_day)s AND campaign_id IN (SELECT id FROM campaigns_campaign)
    GROUP BY campaign_id, starts_on HAVING {sum}(amount) <> 0
),
brand_periods AS (
    SELECT brand_id, kind, starts_on, {sum}(amount) AS lacks, {sum}(found) AS found
    FROM (
        SELECT brand_id, kind, starts_on, amount, amount AS found FROM booked
        UNION ALL
        -- guard: verified-brand-periods
        SELECT brand_id, kind, starts_on, -spend, 0 FROM campaigns_brandperiod WHERE {in_scope}
    ) AS both_sides
    WHERE ((kind = 'day' AND starts_on >= %(first_day)s) OR (kind = 'month' AND starts_on >= %(first_month)s))
        AND brand_id IN (SELECT id FROM campaigns_brand)
    GROUP BY brand_id, kind, starts_on HAVING {sum}(amount) <> 0
)
{then}
