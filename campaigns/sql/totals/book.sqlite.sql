-- Books a batch: one record for each difference, then notes it as booked. The transaction is the lock.
WITH account_days AS MATERIALIZED (
{account_days}
), judged AS MATERIALIZED (
{judged}
)
INSERT INTO campaigns_spendrecord (brand_id, campaign_id, amount, timestamp, total_id, revision)
SELECT brand_id, campaign_id, (reported - booked) / 1000000.0, at, id, revision + 1
FROM judged WHERE waiting = 0;

WITH account_days AS MATERIALIZED (
{account_days}
), judged AS MATERIALIZED (
{judged}
)
UPDATE campaigns_spendtotal SET
    booked = CASE WHEN judged.waiting = 0 THEN judged.reported ELSE campaigns_spendtotal.booked END,
    revision = campaigns_spendtotal.revision + (judged.waiting = 0),
    booked_campaign_id =
        CASE WHEN judged.waiting = 0 THEN judged.campaign_id ELSE campaigns_spendtotal.booked_campaign_id END,
    waiting = judged.waiting, problem = ''
FROM judged WHERE judged.id = campaigns_spendtotal.id
RETURNING waiting, day, 1;
