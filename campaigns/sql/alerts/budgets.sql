-- The percentages of budgets that are reached, of the brands of current_spend.sql, and campaigns that are paused by their
-- own daily limit. Goes on from its `brand`.
-- What enforcement has stored finds the few campaigns; it may be older than their limit or day: SQL changes limits, and a
-- quick check of some campaigns leaves the others of their brand as they are. So today's spend is compared again.
, limited AS MATERIALIZED (
    SELECT campaign.id, campaign.name, campaign.brand_id, {limit} AS daily_limit, COALESCE(own_day.spend, 0) AS folded
    FROM campaigns_campaign AS campaign
    JOIN brand ON brand.id = campaign.brand_id
    LEFT JOIN campaigns_campaignday AS own_day ON own_day.campaign_id = campaign.id AND own_day.day = brand.today
        AND own_day.day BETWEEN %(first_day)s AND %(last_day)s
    WHERE (campaign.pause_reasons & {reason}) <> 0 AND campaign.daily_spend_limit > 0 AND campaign.archived_at IS NULL
        AND campaign.enabled AND {campaign_in_scope} AND brand.today IS NOT NULL AND brand.enabled
),
limited_pending AS MATERIALIZED (
    SELECT p.campaign_id, {pending_today}
    FROM campaigns_pendingspend AS p
    JOIN limited ON limited.id = p.campaign_id AND limited.brand_id = p.brand_id
    JOIN brand AS clock ON clock.id = p.brand_id
    GROUP BY p.campaign_id
),
held AS MATERIALIZED (
    SELECT rule.id AS rule_id, rule.kind, rule.threshold, 'brand ' || brand.id AS subject, {this_month} AS period,
        brand.monthly_budget AS budget, brand.month_spend AS spend, brand.id AS brand_id, brand.name AS brand,
        CAST(NULL AS bigint) AS campaign_id, CAST(NULL AS text) AS campaign, brand.currency, brand.today,
        0 AS is_silenced
    FROM brand
    JOIN campaigns_alertrule AS rule ON rule.enabled AND rule.kind = '{month}'
        AND brand.monthly_budget > 0 AND brand.month_spend >= {month_threshold}
    WHERE brand.today IS NOT NULL AND brand.enabled AND {of_rule}
    UNION ALL
    SELECT rule.id, rule.kind, rule.threshold, 'brand ' || brand.id, {today},
        brand.daily_budget, brand.day_spend, brand.id, brand.name, NULL, NULL, brand.currency, brand.today,
        -- A month's budget that is reached silences the days and the campaigns of its brand, whatever rules there are.
        {month_is_reached}
    FROM brand
    JOIN campaigns_alertrule AS rule ON rule.enabled AND rule.kind = '{day}'
        AND brand.daily_budget > 0 AND brand.day_spend >= {day_threshold}
    WHERE brand.today IS NOT NULL AND brand.enabled AND {of_rule}
    UNION ALL
    SELECT rule.id, rule.kind, rule.threshold, 'campaign ' || limited.id, {today},
        limited.daily_limit, NULL, brand.id, brand.name, limited.id, limited.name, brand.currency, brand.today,
        {month_is_reached}
    FROM limited
    JOIN brand ON brand.id = limited.brand_id
    JOIN campaigns_alertrule AS rule ON rule.enabled AND rule.kind = '{campaign}'
    LEFT JOIN limited_pending ON limited_pending.campaign_id = limited.id
    WHERE limited.folded + COALESCE({limited_today}, 0) >= limited.daily_limit AND {of_rule}
)
