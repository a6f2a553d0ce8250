-- The status changes of parts of batches, in the order of the feed.
WITH part AS MATERIALIZED ({parts})
SELECT part.shift + line.id AS position, line.id, line.campaign_id, campaign.brand_id, line.at, line.recorded_at,
    line.reasons_before, line.reasons_after, campaign.pause_reasons
FROM part
CROSS JOIN campaigns_statuschange AS line
    ON line.id >= part.first_line AND line.id <= part.last_line AND line.batch_id = part.batch_id
JOIN campaigns_campaign AS campaign ON campaign.id = line.campaign_id
WHERE {visible}
ORDER BY position LIMIT %(most)s
