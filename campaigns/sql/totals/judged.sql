    -- What becomes of each total of a batch: booked (waiting is 0), or why it waits.
    SELECT
        total.{address} AS address, total.id, total.booked, total.revision, {reported} AS reported,
        campaign.id AS campaign_id, campaign.brand_id,
        -- guard: as-of-within-the-day
        CASE WHEN total.as_of >= account.starts AND total.as_of < account.ends THEN total.as_of ELSE account.noon END AS at,
        CASE
            WHEN {reason} <> 0 THEN {reason}
            -- guard: decreases-of-finished-days-wait-for-the-full-check
            WHEN {reported} < total.booked AND (account.finished = 1 OR {reported} = 0) AND %(decreases)s = 0 THEN 7
            ELSE 0
        END AS waiting
    FROM days AS account
    CROSS JOIN {each_address}
    JOIN campaigns_spendtotal AS total ON total.{address} = given.value
    -- The link counts for what hasn't been booked yet. While links are saved (links is 0) that is left alone.
    LEFT JOIN campaigns_campaignlink AS link
        ON link.account_id = CASE WHEN total.booked_campaign_id IS NULL THEN account.id END
        AND link.external_id = total.campaign
    -- guard: booked-for-its-own-campaign
    LEFT JOIN campaigns_campaign AS campaign ON campaign.id = {its_campaign}
    LEFT JOIN campaigns_brand AS brand ON brand.id = campaign.brand_id
    WHERE {reported} <> total.booked
        -- guard: links-that-are-saved-are-left-alone
        AND (total.booked_campaign_id IS NOT NULL OR %(links)s = 1)
