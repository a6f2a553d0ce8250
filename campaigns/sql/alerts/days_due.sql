-- Brands whose daily look is due: their profile is that of the local day.
WITH clock AS MATERIALIZED ({clocks})
SELECT brand.id FROM campaigns_brand AS brand
JOIN clock ON clock.zone = brand.timezone
JOIN campaigns_brandpace AS profile ON profile.brand_id = brand.id AND profile.day = clock.today
LEFT JOIN campaigns_brandoutlook AS outlook ON outlook.brand_id = brand.id
WHERE clock.hour >= {from_hour} AND brand.archived_at IS NULL AND (outlook.day IS NULL OR outlook.day <> clock.today)
ORDER BY brand.id
LIMIT %(most)s
