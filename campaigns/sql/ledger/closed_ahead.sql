-- Accounting time zones that are closed, or begin, after the period that runs now in their zone.
WITH
-- Each zone's running day and month.
current AS MATERIALIZED ({current})
SELECT zone.id, zone.brand_id, zone.kind, current.starts_on, zone.first > current.starts_on AS begins_ahead
FROM campaigns_accountingtimezone AS zone
JOIN current ON current.kind = zone.kind AND current.zone = zone.timezone
WHERE zone.until = %(last_period)s AND {in_scope}
    AND (zone.closed_before > current.starts_on OR zone.first > current.starts_on)
ORDER BY zone.brand_id
