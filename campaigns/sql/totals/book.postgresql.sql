-- Books a batch whose totals are locked: one record for each difference, in the statement that notes it as booked.
-- days has the totals' addresses by account and day: no account is looked up twice, and no table is read as a whole.
WITH days AS MATERIALIZED ({days}),
judged AS MATERIALIZED (
{judged}
), recorded AS (
    INSERT INTO campaigns_spendrecord (brand_id, campaign_id, amount, timestamp, total_id, revision)
    SELECT brand_id, campaign_id, (reported - booked) / 1000000.0, at, id, revision + 1
    FROM judged WHERE waiting = 0
), noted AS (
    UPDATE campaigns_spendtotal AS total SET
        booked = CASE WHEN judged.waiting = 0 THEN judged.reported ELSE total.booked END,
        revision = CASE WHEN judged.waiting = 0 THEN judged.revision + 1 ELSE total.revision END,
        booked_campaign_id = CASE WHEN judged.waiting = 0 THEN judged.campaign_id ELSE total.booked_campaign_id END,
        waiting = judged.waiting, problem = ''
    FROM judged WHERE judged.address = total.ctid
    RETURNING total.waiting, total.day
)
SELECT waiting, day, COUNT(*) FROM noted GROUP BY waiting, day
