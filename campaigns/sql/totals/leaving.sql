    -- Totals with the campaign that they are booked for, from which they go.
    SELECT
        total.id, total.booked, total.revision, campaign.id AS campaign_id, campaign.brand_id,
        CAST(%(campaign)s AS bigint) AS new_campaign_id,
        CASE WHEN total.as_of >= zone.starts AND total.as_of < zone.ends THEN total.as_of ELSE zone.noon END AS at
    FROM campaigns_spendtotal AS total
    JOIN campaigns_campaign AS campaign ON campaign.id = total.booked_campaign_id
    JOIN days AS zone ON zone.day = total.day
    WHERE {in_batch}
