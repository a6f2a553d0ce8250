    -- Days of accounts with their bounds; zone is empty without an account or with an unknown time zone. Most accounts are of
    -- one brand: that of an account's first link is looked up once for each day, not for each total.
    SELECT
        given.source, given.account, given.day, given.account_id, given.currency, given.ids,
        days.zone, days.starts, days.ends, days.noon, days.finished,
        usual.id AS usual_brand_id, usual.currency AS usual_currency
    FROM ({account_days}) AS given
    LEFT JOIN ({days}) AS days ON days.zone = given.zone AND days.day = given.day
    LEFT JOIN campaigns_brand AS usual ON usual.id = (
        SELECT campaign.brand_id FROM campaigns_campaign AS campaign WHERE campaign.id = (
            SELECT link.campaign_id FROM campaigns_campaignlink AS link
            WHERE link.account_id = given.account_id ORDER BY link.external_id LIMIT 1
        )
    )
