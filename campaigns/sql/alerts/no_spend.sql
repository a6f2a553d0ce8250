-- Active brands that have spent nothing for the hours of a rule in which they usually spend, and for half as long again as
-- they do now and then.
WITH held AS MATERIALIZED (
    SELECT rule.id AS rule_id, rule.threshold, 'brand ' || brand.id AS subject, {since} AS period,
        0 AS budget, brand.id AS brand_id, CAST(NULL AS bigint) AS campaign_id, 0 AS is_silenced, brand.name AS brand,
        quiet.minutes, quiet.since_minute, quiet.known_minute
    FROM campaigns_brandquiet AS quiet
    JOIN campaigns_brand AS brand ON brand.id = quiet.brand_id
    JOIN campaigns_alertrule AS rule ON rule.enabled AND rule.kind = '{kind}'
    WHERE quiet.minutes >= rule.threshold * 60 AND quiet.minutes >= quiet.longest * 3 / 2
        AND brand.enabled AND brand.archived_at IS NULL AND {of_rule}
        AND EXISTS (
            SELECT 1 FROM campaigns_campaign AS campaign WHERE campaign.brand_id = brand.id AND campaign.pause_reasons = 0
        )
)
