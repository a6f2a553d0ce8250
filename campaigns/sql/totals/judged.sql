    -- What becomes of each total of a batch: booked (waiting is 0), or why it waits.
    SELECT
        total.*, campaign.id AS campaign_id, campaign.brand_id,
        -- guard: as-of-within-the-day
        CASE WHEN total.as_of >= total.starts AND total.as_of < total.ends THEN total.as_of ELSE total.noon END AS at,
        CASE
            WHEN {reason} <> 0 THEN {reason}
            -- guard: decreases-of-finished-days-wait-for-the-full-check
            WHEN total.reported < total.booked AND (total.finished = 1 OR total.reported = 0) AND %(decreases)s = 0 THEN 7
            ELSE 0
        END AS waiting
    FROM (
{taken}
    ) AS total
    LEFT JOIN campaigns_campaignlink AS link
        ON link.account_id = CASE WHEN total.booked_campaign_id IS NULL THEN total.account_id END
        AND link.external_id = total.campaign
    -- guard: booked-for-its-own-campaign
    LEFT JOIN campaigns_campaign AS campaign ON campaign.id = {its_campaign}
    -- None for the account's usual brand, which is known.
    LEFT JOIN campaigns_brand AS brand
        -- guard: currency-of-its-own-brand
        ON brand.id = CASE WHEN campaign.brand_id = total.usual_brand_id THEN NULL ELSE campaign.brand_id END
