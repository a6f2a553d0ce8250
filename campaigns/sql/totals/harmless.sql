-- The decreases that are booked: of an account and day that aren't held, and not rejected by a person.
WITH given AS MATERIALIZED ({given})
SELECT total.id
FROM given
JOIN campaigns_spendtotal AS total
    ON total.source = given.source AND total.account = given.account AND total.day = given.day
WHERE given.held = 0 AND total.waiting > 0 AND total.waiting IN (5, 7)
    -- guard: a-rejected-figure-stays-rejected
    AND (total.rejected IS NULL OR total.rejected <> {reported})
