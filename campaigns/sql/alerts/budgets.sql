-- The percentages of budgets that are reached, of the brands of current_spend.sql, and campaigns that are paused by their
-- own daily limit. Goes on from its `brand`.
, crossed AS (
    SELECT rule.id AS rule_id, rule.kind, rule.threshold, 'brand ' || brand.id AS subject, {this_month} AS period,
        brand.monthly_budget AS budget, brand.month_spend AS spend, brand.id AS brand_id, brand.name AS brand,
        CAST(NULL AS bigint) AS campaign_id, CAST(NULL AS text) AS campaign, brand.currency, brand.today
    FROM brand
    JOIN campaigns_alertrule AS rule ON rule.enabled AND rule.kind = '{month}'
        AND brand.monthly_budget > 0 AND brand.month_spend >= {month_threshold}
    WHERE brand.today IS NOT NULL AND brand.enabled AND {of_rule}
    UNION ALL
    SELECT rule.id, rule.kind, rule.threshold, 'brand ' || brand.id, {today},
        brand.daily_budget, brand.day_spend, brand.id, brand.name, NULL, NULL, brand.currency, brand.today
    FROM brand
    JOIN campaigns_alertrule AS rule ON rule.enabled AND rule.kind = '{day}'
        AND brand.daily_budget > 0 AND brand.day_spend >= {day_threshold}
    WHERE brand.today IS NOT NULL AND brand.enabled AND {of_rule}
    UNION ALL
    -- Enforcement has compared their spend and limits.
    SELECT rule.id, rule.kind, rule.threshold, 'campaign ' || campaign.id, {today},
        {limit}, NULL, brand.id, brand.name, campaign.id, campaign.name, brand.currency, brand.today
    FROM campaigns_campaign AS campaign
    JOIN brand ON brand.id = campaign.brand_id
    JOIN campaigns_alertrule AS rule ON rule.enabled AND rule.kind = '{campaign}'
    WHERE (campaign.pause_reasons & {reason}) <> 0 AND campaign.daily_spend_limit > 0 AND campaign.archived_at IS NULL
        AND campaign.enabled AND {campaign_in_scope} AND brand.today IS NOT NULL AND brand.enabled AND {of_rule}
),
held AS MATERIALIZED (
    -- A month's budget that is reached silences the days and the campaigns of its brand.
    SELECT crossed.*, CASE WHEN kind = '{month}' THEN 0 ELSE
        MAX(CASE WHEN kind = '{month}' AND threshold >= {reached} THEN 1 ELSE 0 END) OVER (PARTITION BY brand_id)
        END AS is_silenced
    FROM crossed
)
