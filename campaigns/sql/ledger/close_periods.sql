-- Closes all periods that have ended, with their spend and the budget that held.
WITH
-- Each zone's running day and month.
current AS MATERIALIZED ({current}),
-- All periods with a budget from the brand's first one up to closed_before have been closed already. One of these that
-- is open has appeared since, with late spend: it had no budget when it ended.
ended AS (
    SELECT period.id, period.spend,
        CASE
            -- guard: late-spend-has-no-budget
            WHEN period.starts_on >= zone.opened AND period.starts_on < zone.closed_before THEN NULL
            -- guard: budget-of-the-period
            WHEN zone.kind = 'day' THEN {daily_budget}
            ELSE {monthly_budget}
        END AS budget,
        -- Up to when all platform accounts of the brand had reported; NULL without any.
        (
            SELECT MIN(account.reported_until)
            FROM campaigns_campaign AS campaign
            JOIN campaigns_campaignlink AS link ON link.campaign_id = campaign.id
            JOIN campaigns_platformaccount AS account ON account.id = link.account_id
            WHERE campaign.brand_id = period.brand_id
        ) AS reported_until
    FROM campaigns_brandperiod AS period
    JOIN campaigns_brand AS brand ON brand.id = period.brand_id
    JOIN campaigns_accountingtimezone AS zone ON zone.brand_id = period.brand_id AND zone.kind = period.kind
    JOIN current ON current.kind = zone.kind AND current.zone = zone.timezone
    WHERE zone.until = %(last_period)s AND {in_scope}
        -- guard: closed-once-and-when-ended
        AND period.closed_at IS NULL AND period.starts_on < current.starts_on
)
UPDATE campaigns_brandperiod
-- guard: kept-at-closing
SET closed_at = %(closed_at)s, spend_at_close = ended.spend, budget_at_close = ended.budget,
    -- guard: known-until-at-closing
    reported_until = ended.reported_until
FROM ended WHERE ended.id = campaigns_brandperiod.id
