-- The batches of a page: from the one that has the position on.
SELECT id, first_position, first_line, last_line FROM campaigns_feedbatch
WHERE first_position >= (
    SELECT first_position FROM campaigns_feedbatch WHERE first_position <= %(after)s
    ORDER BY first_position DESC LIMIT 1
)
ORDER BY first_position LIMIT %(most)s
