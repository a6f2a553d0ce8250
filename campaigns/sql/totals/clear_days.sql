-- Clears the flags of accounts' days where nothing is left to book. What somebody has locked differs still, and what
-- somebody is writing brings a flag of its own.
WITH given AS MATERIALIZED ({given}),
-- Once for each day, because a day may have thousands of flags.
done AS MATERIALIZED (
    SELECT DISTINCT day, source, account FROM given
    -- guard: days-with-totals-to-book-keep-their-flag
    WHERE NOT EXISTS (
        SELECT 1 FROM campaigns_spendtotal AS total
        WHERE total.source = given.source AND total.account = given.account AND total.day = given.day AND {to_book}
    )
)
DELETE FROM campaigns_daytobook WHERE id IN (
    SELECT flag.id
    FROM done
    JOIN campaigns_daytobook AS flag ON flag.day = done.day AND flag.source = done.source AND flag.account = done.account
    {skip_locked}
)
