-- For each account and day with decreases that wait (5 and 7): whether they are held. A figure that a person rejected
-- counts as what is booked.
WITH zones AS MATERIALIZED ({zones}),
waiting AS MATERIALIZED (
    SELECT DISTINCT source, account, day FROM campaigns_spendtotal
    WHERE waiting > 0 AND waiting IN (5, 7) AND day >= %(first)s
), figures AS (
    SELECT
        waiting.source, waiting.account, waiting.day,
        CASE WHEN waiting.day < zones.today THEN 1 ELSE 0 END AS finished,
        total.booked,
        CASE WHEN total.rejected = {reported} THEN total.booked ELSE {reported} END AS reported
    FROM waiting
    JOIN campaigns_platformaccount AS account
        ON account.source = waiting.source AND account.external_id = waiting.account
    JOIN zones ON zones.zone = account.timezone
    JOIN campaigns_spendtotal AS total
        ON total.source = waiting.source AND total.account = waiting.account AND total.day = waiting.day
    WHERE total.booked <> 0
), sums AS (
    SELECT
        source, account, day, finished, {sum}(booked) AS booked, {sum}(reported) AS reported,
        COUNT(*) AS totals, COUNT(CASE WHEN reported = 0 THEN 1 END) AS zeros
    FROM figures GROUP BY source, account, day, finished
)
SELECT
    source, account, day,
    CASE
        -- guard: much-less-on-a-finished-day-is-held
        WHEN finished = 1 THEN reported * 100 < booked * %(percent)s AND booked - reported > %(amount)s
        -- guard: half-to-0-today-is-held
        ELSE zeros > 0 AND zeros * 2 >= totals
    END AS held
FROM sums WHERE finished = 0 OR %(only_open)s = 0
