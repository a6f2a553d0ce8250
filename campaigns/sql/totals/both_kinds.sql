-- Campaigns with spend records of their own, which aren't corrections, and with a reported total on one day: the same
-- spend may count twice. One row for each account that reports it.
WITH events AS (
    SELECT DISTINCT record.campaign_id, {day} AS day
    FROM campaigns_spendrecord AS record
    WHERE record.total_id IS NULL AND record.timestamp >= %(rows_from)s
        AND record.campaign_id IN (
            SELECT booked_campaign_id FROM campaigns_spendtotal
            WHERE booked_campaign_id IS NOT NULL AND booked <> 0 AND day >= %(since)s
        )
        -- guard: corrections-are-no-second-source
        AND NOT EXISTS (SELECT 1 FROM campaigns_spendcorrection AS correction WHERE correction.added_id = record.id)
)
SELECT campaign.id, account.id, COUNT(DISTINCT events.day), MIN(events.day), MAX(events.day)
FROM events
JOIN campaigns_spendtotal AS total ON total.booked_campaign_id = events.campaign_id AND total.day = events.day
JOIN campaigns_platformaccount AS account ON account.source = total.source AND account.external_id = total.account
JOIN campaigns_campaign AS campaign ON campaign.id = events.campaign_id
WHERE total.booked <> 0 AND events.day >= %(since)s
GROUP BY campaign.id, account.id
ORDER BY campaign.id, account.id
