-- Locks the next totals to book, newest day first, and gives them by account and day, with what is known of the account.
WITH taken AS MATERIALIZED (
    SELECT {address} AS address, id, source, account, day, booked_campaign_id FROM campaigns_spendtotal
    -- guard: newest-day-first
    WHERE {which} ORDER BY day DESC, id LIMIT %(most)s
    {skip_locked}
), by_account AS MATERIALIZED (
    SELECT source, account, day, COUNT(*) - COUNT(booked_campaign_id) AS first_bookings, MAX(id) AS last,
        {ids} AS ids, {addresses} AS addresses
    FROM taken GROUP BY source, account, day
)
SELECT taken.day, first_bookings, last, ids, addresses, account.id, account.currency, account.timezone
FROM by_account AS taken
LEFT JOIN campaigns_platformaccount AS account ON account.source = taken.source AND account.external_id = taken.account
