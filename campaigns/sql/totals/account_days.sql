    -- Days of accounts with their bounds; zone is empty without an account or with an unknown time zone.
    SELECT
        given.source, given.account, given.day, given.account_id, given.currency, given.ids,
        days.zone, days.starts, days.ends, days.noon, days.finished
    FROM ({account_days}) AS given
    LEFT JOIN ({days}) AS days ON days.zone = given.zone AND days.day = given.day
