-- The rows of one batch of a fold, with the same conditions as in fold.postgresql.sql.
segment AS MATERIALIZED ({segments}),
zone AS MATERIALIZED (
    SELECT brand_id, kind, timezone, first, until
    FROM campaigns_accountingtimezone
    WHERE brand_id IN (SELECT value FROM json_each(%(brands)s))
),
foldable AS (
    SELECT brand_id FROM zone
    GROUP BY brand_id
    HAVING COUNT(*) = COUNT(*) FILTER (WHERE timezone IN (SELECT value FROM json_each(%(zones)s)))
),
-- The plus keeps SQLite from looking for all rows up to the newest: nearly all that is pending lies below it.
spent AS MATERIALIZED (
    SELECT id, brand_id, campaign_id, quarter, quarter / 96 AS utc_day, amount
    FROM campaigns_pendingspend
    WHERE id IN (SELECT value FROM json_each(%(addresses)s)) AND id + 0 <= %(newest)s
        AND quarter / 96 IN (SELECT value FROM json_each(%(utc_days)s))
        -- guard: unknown-zones-stay-pending
        AND brand_id IN (SELECT brand_id FROM foldable)
)
