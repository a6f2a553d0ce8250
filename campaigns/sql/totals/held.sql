-- Accounts and days with held decreases (waiting 5), with the sums over all totals of the account and day.
WITH held AS (
    SELECT total.source, total.account, total.day FROM campaigns_spendtotal AS total
    WHERE total.waiting > 0 AND total.waiting = 5 AND {in_brands}
    GROUP BY total.source, total.account, total.day
    -- Rejected ones come last, so that they take no place from what still waits for a decision.
    ORDER BY MIN(CASE WHEN total.rejected = {micros} THEN 1 ELSE 0 END), total.day DESC, total.source, total.account
    {limit}
)
SELECT total.source, total.account, total.day, COALESCE(account.name, '') AS name,
    COALESCE(account.currency, '') AS currency, account.brand_id, {reported} AS reported, {booked} AS booked,
    SUM(CASE WHEN total.waiting = 5 THEN 1 ELSE 0 END) AS campaigns,
    SUM(CASE WHEN total.waiting = 5 AND total.rejected = {micros} THEN 1 ELSE 0 END) AS rejected
FROM held
JOIN campaigns_spendtotal AS total
    ON total.source = held.source AND total.account = held.account AND total.day = held.day
LEFT JOIN campaigns_platformaccount AS account
    ON account.source = total.source AND account.external_id = total.account
GROUP BY total.source, total.account, total.day, account.name, account.currency, account.brand_id
ORDER BY total.day DESC, total.source, total.account
