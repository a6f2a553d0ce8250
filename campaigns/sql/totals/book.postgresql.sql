-- Locks and books a batch: what is noted as booked becomes one record for each difference, in one statement. A total that
-- was restated since this statement began is locked, but isn't noted, and so gets no record: the next batch books it.
-- No account is looked up twice, no table is read as a whole but that of links that have moved, and what is taken isn't
-- kept: it is booked row by row.
WITH account_days AS MATERIALIZED (
{account_days}
), noted AS (
    UPDATE campaigns_spendtotal AS total SET
        booked = CASE WHEN judged.waiting = 0 THEN judged.reported ELSE total.booked END,
        revision = CASE WHEN judged.waiting = 0 THEN judged.revision + 1 ELSE total.revision END,
        booked_campaign_id = CASE WHEN judged.waiting = 0 THEN judged.campaign_id ELSE total.booked_campaign_id END,
        waiting = judged.waiting, problem = ''
    FROM (
{judged}
    -- So that each reason is found once.
    OFFSET 0
    ) AS judged
    WHERE judged.address = total.ctid
    RETURNING
        total.waiting, total.day, total.id, total.revision,
        judged.brand_id, judged.campaign_id, judged.reported - judged.booked AS micros, judged.at
), recorded AS (
    INSERT INTO campaigns_spendrecord (brand_id, campaign_id, amount, timestamp, total_id, revision)
    -- A multiplication, because a division of numerics takes longer.
    SELECT brand_id, campaign_id, micros * 0.000001, at, id, revision FROM noted WHERE waiting = 0
)
SELECT waiting, day, COUNT(*) FROM noted GROUP BY waiting, day
