-- Sets free what waits of some campaigns of platforms, but for what a person or the full check decides (5 and more). Locks it in the
-- order in which connectors restate totals: in another one both would wait for each other.
WITH given AS MATERIALIZED ({given}), freed AS MATERIALIZED (
    SELECT total.id
    FROM given
    JOIN campaigns_spendtotal AS total ON total.source = given.source AND total.account = given.account AND total.campaign = given.campaign
    WHERE total.waiting > 0 AND total.waiting < 5
    {locked}
)
UPDATE campaigns_spendtotal SET waiting = 0, problem = '' WHERE id IN (SELECT id FROM freed)
