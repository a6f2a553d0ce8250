-- The daily look at brands, once their local day has gone on for a while: goes on from `paced`
-- (campaigns/sql/brand_pace.sql).
INSERT INTO campaigns_brandoutlook (brand_id, day, verdict, since, projected, budget, expected, expected_before,
    spent_before, volatility)
SELECT paced.id, paced.today,
    -- In the first days of a month its projection says little.
    CASE WHEN paced.today_number - paced.month_number < {first_day} - 1 THEN '' ELSE COALESCE(paced.verdict, '') END,
    paced.today, paced.projected, paced.monthly_budget,
    CASE WHEN paced.enabled AND paced.month_reached = 0 AND paced.days >= {days_for_weekdays} THEN paced.of_today END,
    NULL, COALESCE(before.spend, 0), COALESCE(paced.volatility, 0)
FROM paced
LEFT JOIN campaigns_brandperiod AS before ON before.brand_id = paced.id AND before.kind = 'day'
    AND before.starts_on = {yesterday}
WHERE paced.today IS NOT NULL
ON CONFLICT (brand_id) DO UPDATE SET
    day = excluded.day, verdict = excluded.verdict, projected = excluded.projected, budget = excluded.budget,
    since = CASE WHEN {days_since} = 1 AND campaigns_brandoutlook.verdict = excluded.verdict
        THEN campaigns_brandoutlook.since ELSE excluded.day END,
    expected = excluded.expected,
    -- What was expected at the beginning of that day: the profile of today knows already how it went.
    expected_before = CASE WHEN {days_since} = 1 THEN campaigns_brandoutlook.expected END,
    spent_before = excluded.spent_before, volatility = excluded.volatility
