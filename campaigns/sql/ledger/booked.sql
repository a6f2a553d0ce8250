-- Spend with its periods, for a WITH that has
--   spent    brand_id, campaign_id, quarter, utc_day, amount
--   zone     accounting time zones of the brands
--   segment  stretches of UTC days that lie in one local day of a zone

-- The periods that each brand's UTC days can belong to. There are fewer of them than rows of spend, so zones are
-- compared here. The accounting time zone of a period is that which the brand had then (R15).
period AS MATERIALIZED (
    SELECT brand_day.brand_id, brand_day.utc_day,
        segment.kind, segment.starts_on, segment.day_from, segment.quarter_from, segment.quarter_until
    FROM (SELECT DISTINCT brand_id, utc_day FROM spent) AS brand_day
    JOIN zone ON zone.brand_id = brand_day.brand_id
    JOIN segment ON segment.zone = zone.timezone AND segment.kind = zone.kind AND segment.utc_day = brand_day.utc_day
        -- guard: time-zone-of-the-period
        AND segment.starts_on >= zone.first AND segment.starts_on < zone.until
),
-- Each row twice: for its day and for its month (R3). day_from is the quarter in which its local day begins. Not
-- materialized, so that a use for days only doesn't join the months.
booked AS NOT MATERIALIZED (
    SELECT spent.brand_id, spent.campaign_id, spent.amount, period.kind, period.starts_on, period.day_from
    FROM spent
    JOIN period ON period.brand_id = spent.brand_id AND period.utc_day = spent.utc_day
        -- guard: quarters-of-the-period
        AND spent.quarter >= period.quarter_from AND spent.quarter < period.quarter_until
)
