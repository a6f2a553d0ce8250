-- Campaigns of platforms whose spend waits, with the money and why. Totals that are held, or that the next full check
-- judges, have a page of their own.
SELECT total.source, total.account, total.campaign, total.waiting,
    COALESCE(account.name, '') AS account_name, COALESCE(account.currency, '') AS currency, account.brand_id,
    account.id AS account_id, COALESCE(account.timezone, '') AS timezone,
    link.id AS link_id, COALESCE(link.name, '') AS name, COALESCE(link.note, '') AS note, link.campaign_id,
    COUNT(*) AS days, MIN(total.day) AS first_day, MAX(total.day) AS last_day,
    {amount} AS amount, MAX(total.problem) AS problem
FROM campaigns_spendtotal AS total
LEFT JOIN campaigns_platformaccount AS account
    ON account.source = total.source AND account.external_id = total.account
LEFT JOIN campaigns_campaignlink AS link ON link.account_id = account.id AND link.external_id = total.campaign
WHERE total.waiting > 0 AND total.waiting NOT IN (5, 7) AND {in_brands}
GROUP BY total.source, total.account, total.campaign, total.waiting, account.id, account.name, account.currency,
    account.brand_id, account.timezone, link.id, link.name, link.note, link.campaign_id
ORDER BY total.source, total.account, total.campaign, total.waiting
LIMIT %(most)s
