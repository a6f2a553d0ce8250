-- The totals that may be booked for campaigns of some brands. An account's days are found one after the other, and each
-- total by its key: the account may have millions of others.
WITH RECURSIVE linked AS MATERIALIZED (
    SELECT DISTINCT linked.source, linked.account, linked.campaign
    FROM campaigns_linkedcampaign AS linked
    JOIN campaigns_campaign AS campaign ON campaign.id = linked.linked_campaign_id
    WHERE {in_brands}
), days(source, account, day) AS (
    SELECT known.source, known.account, (
        SELECT MIN(total.day) FROM campaigns_spendtotal AS total
        WHERE total.source = known.source AND total.account = known.account
    ) FROM (SELECT DISTINCT source, account FROM linked) AS known
    UNION ALL
    SELECT days.source, days.account, (
        SELECT MIN(total.day) FROM campaigns_spendtotal AS total
        WHERE total.source = days.source AND total.account = days.account AND total.day > days.day
    ) FROM days WHERE days.day IS NOT NULL
),
-- Without this, PostgreSQL reads all totals of each of the days.
keys AS MATERIALIZED (
    SELECT days.source, days.account, days.day, linked.campaign
    FROM linked JOIN days ON days.source = linked.source AND days.account = linked.account
)
SELECT total.id
FROM keys
JOIN campaigns_spendtotal AS total ON total.source = keys.source AND total.account = keys.account
    AND total.day = keys.day AND total.campaign = keys.campaign
