-- Sets free the totals whose reason to wait holds no longer; those that failed are tried again. Booking finds the
-- reason that holds now.
WITH zones AS MATERIALIZED ({zones}),
changed AS (
    SELECT total.id
    FROM campaigns_spendtotal AS total
    LEFT JOIN campaigns_platformaccount AS account
        ON account.source = total.source AND account.external_id = total.account
    LEFT JOIN campaigns_campaignlink AS link ON link.account_id = account.id AND link.external_id = total.campaign
    LEFT JOIN campaigns_campaign AS campaign ON campaign.id = {its_campaign}
    LEFT JOIN campaigns_brand AS brand ON brand.id = campaign.brand_id
    LEFT JOIN zones AS zone ON zone.zone = account.timezone
    WHERE total.waiting > 0 AND total.waiting <> 5 AND total.waiting <> 7 AND total.waiting <> {reason}
    LIMIT %(most)s {skip_locked}
)
UPDATE campaigns_spendtotal SET waiting = 0, problem = '' WHERE id IN (SELECT id FROM changed)
