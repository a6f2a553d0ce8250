-- Links of paused campaigns that have been acknowledged, with the beginning of the pause and what contradicts it (R18).
-- Columns that end in _at hold times of the connector's clock, except the pause's, and are compared with each other only;
-- columns that end in _received hold times of ours.
WITH pause AS (
    SELECT applied.link_id, link.campaign_id, campaign.brand_id, applied.applied_status, applied.applied_at,
        applied.applied_position, applied.applied_received, applied.seen_status, applied.seen_before_status,
        applied.seen_before_at, applied.seen_before_received, applied.problem,
        line.recorded_at AS paused_at,
        -- Lines of an older version and of pruned batches have no position: any acknowledgement counts for them.
        CASE WHEN batch.id IS NULL THEN 0 ELSE COALESCE(batch.first_position + line.id - batch.first_line, {never})
        END AS position
    FROM campaigns_appliedstatus AS applied
    JOIN campaigns_campaignlink AS link ON link.id = applied.link_id AND link.campaign_id = applied.for_campaign
    JOIN campaigns_campaign AS campaign ON campaign.id = link.campaign_id
    -- The latest line that paused the campaign; later ones changed its reasons only.
    LEFT JOIN campaigns_statuschange AS line ON line.id = (
        SELECT pausing.id FROM campaigns_statuschange AS pausing
        WHERE pausing.campaign_id = link.campaign_id AND pausing.reasons_before = 0
        ORDER BY pausing.id DESC LIMIT 1
    )
    LEFT JOIN campaigns_feedbatch AS batch ON batch.id = line.batch_id
    -- guard: drift-only-acknowledged
    WHERE applied.applied_status <> '' AND campaign.pause_reasons <> 0 AND {in_scope}
        -- Left out without reading history: links that have applied the latest pause, and weren't seen running last.
        AND (applied.applied_status <> 'paused' OR applied.applied_line IS NULL
            OR applied.seen_status = 'active'
            -- guard: drift-paused-again
            OR EXISTS (
                SELECT 1 FROM campaigns_statuschange AS later
                WHERE later.campaign_id = link.campaign_id
                    AND later.id > applied.applied_line AND later.reasons_before = 0
            ))
),
judged AS (
    SELECT pause.*,
        -- guard: drift-applied-this-pause
        CASE WHEN applied_status = 'paused' AND applied_position >= position THEN 1 ELSE 0 END AS is_applied
    FROM pause
),
drift AS (
    SELECT link_id, campaign_id, brand_id, paused_at, problem,
        CASE
            -- guard: drift-late
            WHEN is_applied = 0 AND (paused_at IS NULL OR paused_at < %(late)s) THEN '{late}'
            -- guard: drift-seen-twice
            WHEN is_applied = 1 AND seen_status = 'active' AND seen_before_status = 'active'
                -- guard: drift-seen-after-acknowledgement
                AND seen_before_at > applied_at AND seen_before_received > applied_received
                -- guard: drift-seen-in-this-pause
                AND (paused_at IS NULL OR seen_before_received > paused_at)
            THEN '{running}'
        END AS kind
    FROM judged
)
SELECT link_id, campaign_id, brand_id, paused_at, problem, kind FROM drift WHERE kind IS NOT NULL ORDER BY link_id {limit}
