    -- The totals of a batch, given by their ids, with the day of their account.
    SELECT
        total.id, total.campaign, total.day, total.as_of, total.booked, total.revision, total.booked_campaign_id,
        {reported} AS reported, account.account_id, account.currency, account.zone, account.starts, account.ends,
        account.noon, account.finished, account.usual_brand_id, account.usual_currency
    FROM account_days AS account
    CROSS JOIN json_each(account.ids) AS given
    JOIN campaigns_spendtotal AS total ON total.id = given.value
    WHERE {which}
