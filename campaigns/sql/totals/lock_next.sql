-- Locks the next totals to book, newest day first, and gives them by the account's time zone and the day.
WITH taken AS MATERIALIZED (
    SELECT {address} AS address, id, source, account, day, booked_campaign_id FROM campaigns_spendtotal
    -- guard: newest-day-first
    WHERE {which} ORDER BY day DESC, id LIMIT %(most)s
    {skip_locked}
)
SELECT account.timezone, taken.day, COUNT(*) - COUNT(taken.booked_campaign_id), MAX(taken.id), {ids}, {addresses}
FROM taken
LEFT JOIN campaigns_platformaccount AS account ON account.source = taken.source AND account.external_id = taken.account
GROUP BY account.timezone, taken.day
