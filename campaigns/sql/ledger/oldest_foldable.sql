-- The pending row with the least key among those that can be folded: keys ascend nearly in the order of arrival.
WITH
waiting AS MATERIALIZED (
    SELECT brand_id, MIN(id) AS oldest FROM campaigns_pendingspend GROUP BY brand_id
)
SELECT id, recorded_at
FROM campaigns_pendingspend
WHERE id = (SELECT MIN(oldest) FROM waiting WHERE {foldable})
