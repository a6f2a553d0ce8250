-- Flags the days of accounts that have totals to book and no flag.
INSERT INTO campaigns_daytobook (source, account, day)
SELECT DISTINCT total.source, total.account, total.day
FROM campaigns_spendtotal AS total
WHERE total.day >= %(since)s AND {to_book} AND NOT EXISTS (
    SELECT 1 FROM campaigns_daytobook AS flag
    WHERE flag.day = total.day AND flag.source = total.source AND flag.account = total.account
)
