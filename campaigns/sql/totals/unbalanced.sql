-- Totals whose records, over all campaigns, don't sum up to what is booked of them.
WITH recorded AS (
    SELECT total_id, {sum}({micros}) AS amount, MAX(revision) AS revision
    FROM campaigns_spendrecord
    WHERE total_id IS NOT NULL AND timestamp >= %(rows_from)s
    GROUP BY total_id
)
SELECT total.id, total.source, total.account, total.campaign, total.day, total.booked, COALESCE(recorded.amount, 0)
FROM campaigns_spendtotal AS total
LEFT JOIN recorded ON recorded.total_id = total.id
WHERE total.day >= %(since)s AND COALESCE(recorded.amount, 0) <> total.booked
ORDER BY total.day DESC, total.id
