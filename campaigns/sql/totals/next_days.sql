-- The next days of accounts that may have totals to book, newest day first, with what is known of the account.
WITH next AS MATERIALIZED (
    SELECT DISTINCT day, source, account FROM campaigns_daytobook WHERE {beyond}
    -- guard: newest-day-first
    ORDER BY day DESC, source, account LIMIT %(most)s
)
SELECT next.day, next.source, next.account, account.id, account.currency, account.timezone
FROM next
LEFT JOIN campaigns_platformaccount AS account ON account.source = next.source AND account.external_id = next.account
ORDER BY next.day DESC, next.source, next.account
