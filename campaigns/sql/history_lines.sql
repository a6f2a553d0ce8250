INSERT INTO campaigns_statuschange (campaign_id, at, reasons_before, reasons_after, actor, batch_id, {decided_on})
SELECT campaign_id, %(at)s, reasons_before, reasons_after, %(actor)s, {batch}, {decided_on}
FROM differences ORDER BY campaign_id
RETURNING id, batch_id,
    CASE WHEN reasons_before = 0 THEN {paused} WHEN reasons_after = 0 THEN {resumed} ELSE {other} END AS direction
