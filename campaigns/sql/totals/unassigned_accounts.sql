-- Accounts whose spend waits, with the money and the number of campaigns of the platform, without what people ignore (2),
-- what is held, and what the next full check judges.
SELECT total.source, total.account, COALESCE(account.name, '') AS account_name, COALESCE(account.currency, '') AS currency,
    COUNT(DISTINCT total.campaign) AS campaigns, {amount} AS amount
FROM campaigns_spendtotal AS total
LEFT JOIN campaigns_platformaccount AS account
    ON account.source = total.source AND account.external_id = total.account
WHERE total.waiting > 0 AND total.waiting NOT IN (2, 5, 7)
GROUP BY total.source, total.account, account.name, account.currency
ORDER BY total.source, total.account
