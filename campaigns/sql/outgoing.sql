-- Since when the oldest delivery and the oldest e-mail about alerts is due without having been tried. Each reads the first
-- row of a partial index. A receiver that fails, or rests after a failure, has its own alert.
SELECT
    (
        SELECT MIN(delivery.next_attempt_at) FROM campaigns_delivery AS delivery
        JOIN campaigns_endpoint AS endpoint ON endpoint.id = delivery.endpoint_id
        WHERE delivery.state = 'waiting' AND delivery.next_attempt_at <= %(latest)s AND endpoint.enabled
            AND endpoint.failing_since IS NULL AND (endpoint.not_before IS NULL OR endpoint.not_before <= %(latest)s)
    ),
    (SELECT MIN(next_attempt_at) FROM campaigns_alertemail WHERE state = 'waiting' AND next_attempt_at <= %(latest)s),
    (SELECT MIN(due_at) FROM campaigns_alertmessage WHERE NOT is_settled AND due_at <= %(latest)s)
