-- Sets what is booked of totals, which are locked, to the sum of their records; the next check books the rest.
WITH recorded AS (
    SELECT total.id, COALESCE({sum}({micros}), 0) AS amount, COALESCE(MAX(record.revision), 0) AS revision
    FROM campaigns_spendtotal AS total
    LEFT JOIN campaigns_spendrecord AS record ON record.total_id = total.id
    WHERE {in_batch} GROUP BY total.id
)
UPDATE campaigns_spendtotal SET
    booked = recorded.amount, waiting = 0, problem = '',
    revision = CASE
        WHEN recorded.revision > campaigns_spendtotal.revision THEN recorded.revision
        ELSE campaigns_spendtotal.revision
    END + 1
FROM recorded WHERE recorded.id = campaigns_spendtotal.id AND recorded.amount <> campaigns_spendtotal.booked
