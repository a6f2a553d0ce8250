-- How recorded alerts differ from what holds. Goes on from `held`: the identity of each alert that holds, whether it is
-- silenced, and columns for its sentences. Both are read in one statement, so that no alert that another check has just
-- recorded seems to have ended.
, matched AS MATERIALIZED (
    SELECT held.*,
        -- A subquery is looked up in the index of identities, however many alerts hold: a join may read all alerts.
        (
            SELECT CASE WHEN alert.resolved_at IS NULL THEN alert.id ELSE -alert.id END
            FROM campaigns_alert AS alert
            WHERE alert.rule_id = held.rule_id AND alert.subject = held.subject AND alert.period = held.period
                AND alert.threshold = held.threshold AND alert.budget = held.budget
        ) AS alert
    FROM held
),
-- EXCEPT hashes: NOT EXISTS may compare each with each where the statistics are old.
ended AS (
    SELECT alert.id FROM campaigns_alert AS alert
    WHERE alert.resolved_at IS NULL AND alert.kind IN ({kinds}) AND {alert_in_scope}
    EXCEPT
    SELECT alert FROM matched WHERE alert > 0
)
-- The alert is NULL for a new one, and negative for one that has resolved and holds again.
SELECT alert, rule_id, subject, period, threshold, budget, brand_id, campaign_id, {columns} FROM matched
WHERE is_silenced = 0 AND (alert IS NULL OR alert < 0)
UNION ALL
SELECT id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, {nulls} FROM ended
