-- Batches of what can be folded: how many rows, where they are, their brands, their first and last UTC day.
WITH
waiting AS (
    SELECT {address} AS address, brand_id, quarter / 96 AS day
    FROM campaigns_pendingspend
    WHERE id <= %(newest)s AND {in_scope} AND {foldable}
    LIMIT %(most)s
),
-- In order of day and brand, so that rows of one total come together and it is touched once, or a few times. As one
-- number they sort in half the time: day * 2^40 + brand.
numbered AS (
    SELECT address, brand_id, day,
        (ROW_NUMBER() OVER (ORDER BY CAST(day AS bigint) * 1099511627776 + brand_id) - 1) / %(batch_rows)s AS part
    FROM waiting
)
SELECT COUNT(*), {addresses}, {brands}, MIN(day), MAX(day)
FROM numbered
GROUP BY part, day / %(batch_days)s
ORDER BY part, day / %(batch_days)s
