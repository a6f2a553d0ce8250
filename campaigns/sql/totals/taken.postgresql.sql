    -- The totals of a batch, which it locks, with the day of their account. LATERAL keeps the order of account_days: the newest
    -- one's totals are locked first.
    SELECT
        total.*, account.account_id, account.currency, account.zone, account.starts, account.ends, account.noon,
        account.finished, account.usual_brand_id, account.usual_currency
    FROM account_days AS account
    CROSS JOIN LATERAL (
        SELECT
            total.ctid AS address, total.id, total.campaign, total.day, total.as_of, total.booked, total.revision,
            total.booked_campaign_id, {reported} AS reported
        FROM campaigns_spendtotal AS total
        WHERE {of_account} AND {which}
            -- The link counts for what hasn't been booked yet. While links are saved (links is 0) that is left alone.
            -- guard: links-that-are-saved-are-left-alone
            AND (total.booked_campaign_id IS NOT NULL OR %(links)s = 1)
        FOR NO KEY UPDATE SKIP LOCKED
    ) AS total
    LIMIT %(most)s
