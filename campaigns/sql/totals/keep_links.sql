-- Keeps each campaign that a platform's campaign leads to, has led to, or has totals booked for. Triggers do so for what
-- links are led to; rows that were loaded with triggers disabled are missing here.
INSERT INTO campaigns_linkedcampaign (source, account, campaign, linked_campaign_id)
SELECT account.source, account.external_id, link.external_id, link.campaign_id
FROM campaigns_campaignlink AS link
JOIN campaigns_platformaccount AS account ON account.id = link.account_id
WHERE link.campaign_id IS NOT NULL
UNION
SELECT account.source, account.external_id, link.external_id, earlier.campaign_id
FROM campaigns_earlierlink AS earlier
JOIN campaigns_campaignlink AS link ON link.id = earlier.link_id
JOIN campaigns_platformaccount AS account ON account.id = link.account_id
UNION
SELECT source, account, campaign, booked_campaign_id
FROM campaigns_spendtotal WHERE booked_campaign_id IS NOT NULL
EXCEPT
SELECT source, account, campaign, linked_campaign_id FROM campaigns_linkedcampaign
-- SQLite would read the ON of a SELECT without WHERE as that of a join.
WHERE 1 = 1
-- A link that is saved meanwhile is kept by its trigger.
ON CONFLICT DO NOTHING
