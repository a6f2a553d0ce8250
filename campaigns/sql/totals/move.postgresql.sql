-- Takes back what is booked of totals that leave their campaign: one record each of -booked. Nothing of them is booked
-- then; the next check books them for their new campaign.
WITH days AS MATERIALIZED ({days}),
leaving AS MATERIALIZED (
{leaving}
), recorded AS (
    INSERT INTO campaigns_spendrecord (brand_id, campaign_id, amount, timestamp, total_id, revision)
    SELECT brand_id, campaign_id, -booked / 1000000.0, at, id, revision + 1
    FROM leaving WHERE booked <> 0
)
UPDATE campaigns_spendtotal AS total SET
    booked = 0, revision = total.revision + CASE WHEN total.booked = 0 THEN 0 ELSE 1 END,
    booked_campaign_id = leaving.new_campaign_id, waiting = 0, problem = '', rejected = NULL
FROM leaving WHERE leaving.id = total.id
