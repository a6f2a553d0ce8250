-- Holds the decreases of an account and day that were judged so, and figures that a person has rejected.
WITH given AS MATERIALIZED ({given})
UPDATE campaigns_spendtotal SET waiting = 5
FROM given
WHERE campaigns_spendtotal.source = given.source AND campaigns_spendtotal.account = given.account
    AND campaigns_spendtotal.day = given.day AND campaigns_spendtotal.waiting = 7
    AND (given.held = 1 OR campaigns_spendtotal.rejected = CAST(ROUND(campaigns_spendtotal.total * 1000000) AS bigint))
