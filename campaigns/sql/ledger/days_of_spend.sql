-- The UTC days that have spend of brands in each accounting time zone.
SELECT DISTINCT zone.timezone, spent.day
FROM (
    SELECT DISTINCT brand_id, {quarter} / 96 AS day
    FROM campaigns_spendrecord WHERE {in_scope} AND timestamp >= %(rows_from)s
    UNION
    SELECT brand_id, quarter / 96 FROM campaigns_pendingspend WHERE {in_scope}
) AS spent
JOIN campaigns_accountingtimezone AS zone ON zone.brand_id = spent.brand_id
