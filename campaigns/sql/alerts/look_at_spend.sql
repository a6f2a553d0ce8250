-- The hourly look at how long brands have spent nothing, in minutes in which they usually spend. Minutes count from 1970.
-- Goes on from `paced` (campaigns/sql/brand_pace.sql).
, reported AS MATERIALIZED (
    -- Up to when spend is known: until all accounts have reported; until now where no account is linked. An account that
    -- has never said keeps its brand from being looked at.
    SELECT paced.id, MIN(CASE
        WHEN link.account_id IS NULL THEN %(now)s
        WHEN account.reported_until IS NULL THEN 0
        ELSE {least}(%(now)s, {reported_quarter} * 15)
        END) AS until
    FROM paced
    LEFT JOIN campaigns_campaign AS campaign ON campaign.brand_id = paced.id AND EXISTS (
        SELECT 1 FROM campaigns_campaignlink AS linked WHERE linked.campaign_id = campaign.id
    )
    LEFT JOIN campaigns_campaignlink AS link ON link.campaign_id = campaign.id
    LEFT JOIN campaigns_platformaccount AS account ON account.id = link.account_id
    GROUP BY paced.id
),
-- What was known stays so, also where an account is linked that hasn't reported.
known AS MATERIALIZED (
    SELECT reported.id, {greatest}(reported.until, COALESCE(quiet.known_minute, 0)) AS until
    FROM reported LEFT JOIN campaigns_brandquiet AS quiet ON quiet.brand_id = reported.id
),
-- The minutes of today up to the last look, and up to now, as far as spend is known.
since AS MATERIALIZED (
    SELECT paced.id, paced.this_month, paced.month_spend, known.until, profile.open_minutes,
        {greatest}(0, {least}(1439, COALESCE(quiet.known_minute, known.until) - paced.midnight)) AS from_minute,
        {greatest}(0, {least}(1439, known.until - paced.midnight)) AS until_minute,
        CASE WHEN paced.of_today > 0 AND paced.enabled AND EXISTS (
            SELECT 1 FROM campaigns_campaign AS campaign
            WHERE campaign.brand_id = paced.id AND campaign.pause_reasons = 0
        ) THEN 1 ELSE 0 END AS is_usual
    FROM paced
    JOIN known ON known.id = paced.id
    JOIN campaigns_brandpace AS profile ON profile.brand_id = paced.id AND profile.day = paced.today
    LEFT JOIN campaigns_brandquiet AS quiet ON quiet.brand_id = paced.id
),
usual AS MATERIALIZED (
    SELECT since.*, is_usual * (({open_until}) - ({open_from})) AS minutes FROM since
)
INSERT INTO campaigns_brandquiet (brand_id, looked_minute, known_minute, month, spend, since_minute, minutes, longest)
SELECT id, %(now)s, until, this_month, month_spend, until, minutes, {at_first} FROM usual
-- SQLite needs a WHERE here.
WHERE TRUE
ON CONFLICT (brand_id) DO UPDATE SET
    looked_minute = excluded.looked_minute, known_minute = excluded.known_minute, month = excluded.month, spend = excluded.spend,
    since_minute = CASE WHEN {has_spent} THEN excluded.since_minute ELSE campaigns_brandquiet.since_minute END,
    minutes = CASE WHEN {has_spent} THEN 0 ELSE campaigns_brandquiet.minutes + excluded.minutes END,
    -- A stretch that ends counts as usual, up to the length at which it fires.
    longest = CASE WHEN {has_spent} THEN {greatest}({faded},
        {least}(campaigns_brandquiet.minutes, {greatest}({fires}, campaigns_brandquiet.longest * 3 / 2))) ELSE campaigns_brandquiet.longest END
