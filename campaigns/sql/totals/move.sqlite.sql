-- Takes back what is booked of totals that leave their campaign: one record each of -booked. Nothing of them is booked
-- then; the next check books them for their new campaign.
WITH days AS MATERIALIZED ({days}),
leaving AS MATERIALIZED (
{leaving}
)
INSERT INTO campaigns_spendrecord (brand_id, campaign_id, amount, timestamp, total_id, revision)
SELECT brand_id, campaign_id, -booked / 1000000.0, at, id, revision + 1
FROM leaving WHERE booked <> 0;

WITH days AS MATERIALIZED ({days}),
leaving AS MATERIALIZED (
{leaving}
)
UPDATE campaigns_spendtotal SET
    booked = 0, revision = campaigns_spendtotal.revision + (campaigns_spendtotal.booked <> 0),
    booked_campaign_id = leaving.new_campaign_id, waiting = 0, problem = '', rejected = NULL
FROM leaving WHERE leaving.id = campaigns_spendtotal.id;
