-- Sets free what waits of some campaigns of platforms, but for what a person or the full check decides (5 and more).
WITH given AS MATERIALIZED ({given})
UPDATE campaigns_spendtotal SET waiting = 0, problem = ''
FROM given
WHERE campaigns_spendtotal.source = given.source AND campaigns_spendtotal.account = given.account
    AND campaigns_spendtotal.campaign = given.campaign
    AND campaigns_spendtotal.waiting > 0 AND campaigns_spendtotal.waiting < 5
