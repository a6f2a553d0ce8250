-- The accounts whose currency or time zone a report changes: their totals may wait for that.
WITH given AS MATERIALIZED ({given})
SELECT known.source, known.external_id
FROM given
JOIN campaigns_platformaccount AS known ON known.source = given.source AND known.external_id = given.external_id
WHERE (given.currency <> '' AND given.currency <> known.currency)
    OR (given.timezone <> '' AND given.timezone <> known.timezone)
