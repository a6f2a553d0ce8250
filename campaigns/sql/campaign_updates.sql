-- next_change has no campaign outside the scope; without the condition PostgreSQL may read all campaigns.
UPDATE campaigns_campaign AS c SET pause_reasons = next_change.reasons, next_change_minute = next_change.minute
FROM next_change
WHERE next_change.campaign_id = c.id AND {in_scope}
    -- guard: only-changed-campaigns
    AND (c.pause_reasons <> next_change.reasons OR c.next_change_minute <> next_change.minute)
