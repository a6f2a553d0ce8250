-- The next days of accounts that may have totals to book, newest day first, each with what is known of the account.
WITH next AS MATERIALIZED (
    SELECT DISTINCT day, source, account FROM campaigns_daytobook WHERE {beyond}
    -- guard: newest-day-first
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
