-- Clears the flags of accounts and days where nothing is left to book. What somebody has locked or is writing differs
-- still, or brings a flag of its own.
WITH given AS MATERIALIZED ({given})
DELETE FROM campaigns_daytobook WHERE id IN (
    SELECT flag.id
    FROM given
    JOIN campaigns_daytobook AS flag
        ON flag.day = given.day AND flag.source = given.source AND flag.account = given.account
    -- guard: days-with-totals-to-book-keep-their-flag
    WHERE NOT EXISTS (
        SELECT 1 FROM campaigns_spendtotal AS total
        WHERE total.source = flag.source AND total.account = flag.account AND total.day = flag.day AND {to_book}
    )
    {skip_locked}
)
