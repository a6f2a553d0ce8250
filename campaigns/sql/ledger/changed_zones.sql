-- Brands whose time zone isn't their current accounting time zone, with the one that they have, or NULL where the rows
-- for days and months are missing or differ.
WITH
accounted AS (
    SELECT brand_id, COUNT(*) AS kinds, MIN(timezone) AS first, MAX(timezone) AS last
    FROM campaigns_accountingtimezone
    WHERE until = %(last_period)s AND {of_brands}
    GROUP BY brand_id
)
SELECT brand.id, CASE WHEN kinds = 2 THEN first END, brand.timezone
FROM campaigns_brand AS brand
LEFT JOIN accounted ON accounted.brand_id = brand.id
-- guard: lost-time-zones
WHERE {in_scope} AND (kinds IS NULL OR kinds <> 2 OR first <> brand.timezone OR last <> brand.timezone)
ORDER BY brand.id
