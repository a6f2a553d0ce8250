-- What the daily looks have found: months that lead beyond or below their budgets, and days unlike their weekdays.
WITH clock AS MATERIALIZED ({clocks}),
held AS MATERIALIZED (
    SELECT rule.id AS rule_id, rule.kind, rule.threshold, 'brand ' || brand.id AS subject,
        {month} AS period, outlook.budget, brand.id AS brand_id, CAST(NULL AS bigint) AS campaign_id, 0 AS is_silenced,
        brand.name AS brand, brand.currency, outlook.projected AS amount, outlook.budget AS compared,
        outlook.since AS day
    FROM campaigns_brandoutlook AS outlook
    JOIN campaigns_brand AS brand ON brand.id = outlook.brand_id
    JOIN clock ON clock.zone = brand.timezone
    JOIN campaigns_alertrule AS rule ON rule.enabled
        AND rule.kind = CASE outlook.verdict WHEN 'over' THEN '{over}' WHEN 'under' THEN '{under}' END
    -- Two looks in a row, about this month, and the budget that holds now.
    WHERE outlook.since < outlook.day AND outlook.day >= clock.this_month AND outlook.day < clock.next_month
        AND outlook.budget = {budget} AND brand.enabled AND brand.archived_at IS NULL AND {of_rule}
    UNION ALL
    SELECT rule.id, rule.kind, rule.threshold, 'brand ' || brand.id,
        {yesterday_text}, 0, brand.id, NULL, 0,
        brand.name, brand.currency, outlook.spent_before, outlook.expected_before, {yesterday}
    FROM campaigns_brandoutlook AS outlook
    JOIN campaigns_brand AS brand ON brand.id = outlook.brand_id
    JOIN clock ON clock.zone = brand.timezone
    JOIN campaigns_alertrule AS rule ON rule.enabled AND rule.kind = '{unlike}'
    -- Until the next look, which is on the next day.
    WHERE {days_since} <= 1 AND brand.enabled AND brand.archived_at IS NULL AND outlook.expected_before > 0
        -- Both in percent, twice as many for a volatile brand, and in money.
        AND ABS(outlook.spent_before - outlook.expected_before) >= outlook.expected_before / 100 * rule.threshold
            * CASE outlook.volatility WHEN {volatile} THEN 2 ELSE 1 END
        AND ABS(outlook.spent_before - outlook.expected_before) >= {least}
        AND {of_rule}
)
