-- The status changes of parts of batches, in the order of the feed. Each part is a
-- range of ids: OFFSET 0 keeps the planner from joining the whole history instead.
WITH part AS MATERIALIZED ({parts})
SELECT part.shift + line.id AS position, line.id, line.campaign_id, campaign.brand_id, line.at, line.recorded_at,
    line.reasons_before, line.reasons_after, campaign.pause_reasons
FROM part
CROSS JOIN LATERAL (
    SELECT * FROM campaigns_statuschange
    WHERE id >= part.first_line AND id <= part.last_line AND batch_id = part.batch_id
    OFFSET 0
) AS line
JOIN campaigns_campaign AS campaign ON campaign.id = line.campaign_id
WHERE {visible}
ORDER BY position LIMIT %(most)s
