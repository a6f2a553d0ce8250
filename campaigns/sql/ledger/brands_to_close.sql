-- Brands that have a period to close.
WITH
-- Each zone's running day and month.
current AS MATERIALIZED ({current}),
-- Periods that have ended in some zone at least, read by the index of open ones.
open_period AS MATERIALIZED (
    SELECT brand_id, kind, starts_on FROM campaigns_brandperiod
    WHERE closed_at IS NULL AND {period_in_scope} AND (
        (kind = 'day' AND starts_on < %(latest_day)s) OR (kind = 'month' AND starts_on < %(latest_month)s)
    )
)
-- Brands that are new, or of which not all is closed that has ended: a period without spend may have a budget.
SELECT zone.brand_id FROM campaigns_accountingtimezone AS zone
JOIN current ON current.kind = zone.kind AND current.zone = zone.timezone
WHERE zone.until = %(last_period)s AND {in_scope}
    AND (zone.closed_before IS NULL OR zone.closed_before < current.starts_on)
UNION
-- Brands with open periods that have ended in their own zone.
SELECT period.brand_id FROM open_period AS period
JOIN campaigns_accountingtimezone AS zone ON zone.brand_id = period.brand_id AND zone.kind = period.kind
JOIN current ON current.kind = zone.kind AND current.zone = zone.timezone
WHERE zone.until = %(last_period)s AND {in_scope} AND period.starts_on < current.starts_on
ORDER BY 1
