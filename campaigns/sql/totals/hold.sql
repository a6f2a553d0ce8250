-- Holds the decreases of an account and day that were judged so, and figures that a person has rejected. What is
-- locked is being restated or booked: a connector that restates several totals would wait for this, and this for it.
WITH given AS MATERIALIZED ({given}),
held AS (
    SELECT total.id
    FROM given
    JOIN campaigns_spendtotal AS total
        ON total.source = given.source AND total.account = given.account AND total.day = given.day
    WHERE total.waiting > 0 AND total.waiting = 7 AND (given.held = 1 OR total.rejected = {reported})
    {skip_locked}
)
UPDATE campaigns_spendtotal SET waiting = 5 WHERE id IN (SELECT id FROM held)
