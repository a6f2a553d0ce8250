-- Brands among which are all whose pending spend may take a total beyond its limit. That can only happen where pending
-- spend, or a total already, is larger than a quarter of it.
SELECT brand_id FROM campaigns_pendingspend
GROUP BY brand_id HAVING SUM(ABS(amount) / 1000000 + 1) > %(suspicious)s / 1000000
UNION
SELECT brand_id FROM campaigns_brandperiod
WHERE {of_periods} AND spend NOT BETWEEN -%(suspicious)s AND %(suspicious)s
UNION
SELECT campaign.brand_id FROM campaigns_campaignday AS total
JOIN campaigns_campaign AS campaign ON campaign.id = total.campaign_id
WHERE {of_days} AND total.spend NOT BETWEEN -%(suspicious)s AND %(suspicious)s
ORDER BY 1
