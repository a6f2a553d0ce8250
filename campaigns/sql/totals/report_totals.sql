-- What a connector runs, for many totals at once. The triggers skip what is older or unchanged.
WITH given AS MATERIALIZED ({given})
INSERT INTO campaigns_spendtotal (source, account, campaign, day, total, as_of)
SELECT source, account, campaign, day, total, as_of FROM given WHERE 1 = 1
-- Two syncs of the same totals lock them in one order.
ORDER BY source, account, day, campaign
ON CONFLICT (source, account, campaign, day) DO UPDATE SET total = EXCLUDED.total, as_of = EXCLUDED.as_of
