-- Since when the oldest delivery, the oldest e-mail about alerts, and the oldest message that is to become one are due.
-- Each reads the first row of a partial index. A receiver that fails, or rests after a failure, has its own alert; and
-- while e-mails are tried, those behind them are in time.
SELECT
    (
        SELECT MIN(delivery.next_attempt_at) FROM campaigns_delivery AS delivery
        JOIN campaigns_endpoint AS endpoint ON endpoint.id = delivery.endpoint_id
        WHERE delivery.state = 'waiting' AND delivery.next_attempt_at <= %(latest)s AND endpoint.enabled
            AND endpoint.failing_since IS NULL AND (endpoint.not_before IS NULL OR endpoint.not_before <= %(latest)s)
    ),
    (
        SELECT MIN(next_attempt_at) FROM campaigns_alertemail
        WHERE state = 'waiting' AND next_attempt_at <= %(latest)s AND NOT EXISTS (
            SELECT 1 FROM campaigns_alertemail AS tried
            WHERE tried.state = 'waiting' AND tried.attempts > 0
                AND tried.next_attempt_at > %(now)s AND tried.next_attempt_at <= %(just_tried)s
        )
    ),
    (SELECT MIN(due_at) FROM campaigns_alertmessage WHERE NOT is_settled AND due_at <= %(latest)s)
