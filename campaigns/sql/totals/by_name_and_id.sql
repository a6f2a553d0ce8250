-- Campaigns with a reported total by the platform campaign's name, as of a file without ids, beside one by the id of the
-- platform's campaign of that name on the same day: the same spend counts twice.
SELECT campaign.id, account.id, COUNT(DISTINCT by_name.day), MIN(by_name.day), MAX(by_name.day)
FROM campaigns_spendtotal AS by_name
JOIN campaigns_platformaccount AS account ON account.source = by_name.source AND account.external_id = by_name.account
JOIN campaigns_campaignlink AS named ON named.account_id = account.id AND named.external_id = by_name.campaign
JOIN campaigns_campaignlink AS same ON same.account_id = account.id AND same.name = named.name AND same.id <> named.id
JOIN campaigns_spendtotal AS by_id
    ON by_id.source = by_name.source AND by_id.account = by_name.account AND by_id.day = by_name.day
    AND by_id.campaign = same.external_id
JOIN campaigns_campaign AS campaign ON campaign.id = by_name.booked_campaign_id
WHERE by_name.campaign LIKE '{by_name}%%' AND by_id.campaign NOT LIKE '{by_name}%%'
    AND by_name.booked <> 0 AND by_id.booked <> 0 AND by_name.day >= %(since)s
GROUP BY campaign.id, account.id
ORDER BY campaign.id, account.id
