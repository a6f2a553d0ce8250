-- Gives the committed batches that have no position theirs, in the order of their ids. Positions never go below the
-- microseconds since 1970: after an older backup is restored, none that was given before is given again, and a client
-- that holds one is told that it is unknown instead of missing changes.
-- The next position is materialized: joined as it stands, PostgreSQL may read the clock anew for each batch, and give
-- positions twice.
WITH newest AS MATERIALIZED (
    SELECT {greatest}(COALESCE(MAX(position), 0) + 1, {microseconds}) AS next_position
    FROM (
        SELECT first_position + last_line - first_line AS position FROM campaigns_feedbatch
        WHERE first_position IS NOT NULL ORDER BY first_position DESC LIMIT 1
    ) AS last_batch
)
UPDATE campaigns_feedbatch SET first_position = placed.first_position
FROM (
    SELECT id, newest.next_position + SUM(last_line - first_line + 1) OVER (ORDER BY id)
        - (last_line - first_line + 1) AS first_position
    FROM campaigns_feedbatch
    CROSS JOIN newest
    WHERE first_position IS NULL
) AS placed
WHERE campaigns_feedbatch.id = placed.id
