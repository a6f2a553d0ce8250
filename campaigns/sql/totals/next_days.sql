-- The next days of accounts that may have totals to book, newest day first, after the one that was reached, each
-- with what is known of the account.
WITH next AS MATERIALIZED (
    SELECT day, source, account FROM (
        -- Two ranges of the index, each read in its order: the rest of the day that was reached, and the days before.
        SELECT * FROM (
            SELECT DISTINCT day, source, account FROM campaigns_daytobook
            -- guard: the-rest-of-the-day
            WHERE day = %(day)s AND (source, account) > (%(source)s, %(account)s)
            ORDER BY day DESC, source, account LIMIT %(most)s
        ) AS same_day
        UNION ALL
        SELECT * FROM (
            SELECT DISTINCT day, source, account FROM campaigns_daytobook
            WHERE day < %(day)s
            -- guard: newest-day-first
            ORDER BY day DESC, source, account LIMIT %(most)s
        ) AS earlier
    ) AS flagged
    ORDER BY day DESC, source, account LIMIT %(most)s
)
SELECT account_day.day, account_day.source, account_day.account, account_day.zone, {json} AS json
FROM (
    SELECT
        next.day, next.source, next.account, account.id AS account_id, account.currency, account.timezone AS zone,
        NULL AS ids
    FROM next
    LEFT JOIN campaigns_platformaccount AS account
        ON account.source = next.source AND account.external_id = next.account
) AS account_day
ORDER BY account_day.day DESC, account_day.source, account_day.account
