-- Adds the platform's campaigns to their accounts; one that is there gets its new name, and stays linked.
WITH given AS MATERIALIZED ({given})
INSERT INTO campaigns_campaignlink AS known (account_id, external_id, name)
SELECT account.id, given.campaign, given.name
FROM given
JOIN campaigns_platformaccount AS account ON account.source = given.source AND account.external_id = given.account
ORDER BY account.id, given.campaign
ON CONFLICT (account_id, external_id) DO UPDATE SET name = EXCLUDED.name
WHERE EXCLUDED.name <> '' AND EXCLUDED.name <> known.name
