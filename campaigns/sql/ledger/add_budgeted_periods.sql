-- Periods without spend that have ended and have a budget: their statements say that nothing was spent.
INSERT INTO campaigns_brandperiod (brand_id, kind, starts_on, spend)
WITH
-- Each zone's running day and month.
current AS MATERIALIZED ({current}),
-- All days and months of each zone that may have ended without being closed.
ended AS MATERIALIZED ({ended}),
budgeted AS MATERIALIZED (
    SELECT zone.brand_id, zone.kind, zone.timezone, zone.closed_before, current.starts_on AS open_from
    FROM campaigns_accountingtimezone AS zone
    JOIN campaigns_brand AS brand ON brand.id = zone.brand_id
    JOIN current ON current.kind = zone.kind AND current.zone = zone.timezone
    WHERE zone.until = %(last_period)s AND {in_scope}
        -- guard: period-without-budget-and-spend
        AND CASE zone.kind WHEN 'day' THEN brand.daily_budget ELSE brand.monthly_budget END IS NOT NULL
)
SELECT budgeted.brand_id, budgeted.kind, ended.starts_on, 0
FROM budgeted
JOIN ended ON ended.kind = budgeted.kind AND ended.zone = budgeted.timezone
    -- guard: budgeted-periods-that-ended
    AND ended.starts_on >= budgeted.closed_before AND ended.starts_on < budgeted.open_from
WHERE 1 = 1  -- without it SQLite takes ON CONFLICT for a condition of the join
ON CONFLICT (kind, starts_on, brand_id) DO NOTHING
