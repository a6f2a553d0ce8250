-- Adds accounts, and what is known of those that are there; empty values change nothing.
WITH given AS MATERIALIZED ({given})
INSERT INTO campaigns_platformaccount AS known
    (source, external_id, name, currency, timezone, reported_until, brand_id, interval_hours)
SELECT source, external_id, name, currency, timezone, reported_until, brand_id, interval_hours FROM given WHERE 1 = 1
ORDER BY source, external_id
ON CONFLICT (source, external_id) DO UPDATE SET
    name = CASE WHEN EXCLUDED.name = '' THEN known.name ELSE EXCLUDED.name END,
    currency = CASE WHEN EXCLUDED.currency = '' THEN known.currency ELSE EXCLUDED.currency END,
    timezone = CASE WHEN EXCLUDED.timezone = '' THEN known.timezone ELSE EXCLUDED.timezone END,
    -- A sync that ends late doesn't take back what a newer one knows. What is stored ahead is wrong, and corrected.
    reported_until = CASE
        WHEN EXCLUDED.reported_until IS NULL
            OR (known.reported_until > EXCLUDED.reported_until AND known.reported_until <= {hour_ahead})
        THEN known.reported_until ELSE EXCLUDED.reported_until
    END,
    brand_id = COALESCE(known.brand_id, EXCLUDED.brand_id)
WHERE (EXCLUDED.name <> '' AND EXCLUDED.name <> known.name)
    OR (EXCLUDED.currency <> '' AND EXCLUDED.currency <> known.currency)
    OR (EXCLUDED.timezone <> '' AND EXCLUDED.timezone <> known.timezone)
    OR (EXCLUDED.reported_until IS NOT NULL
        AND (known.reported_until IS NULL OR known.reported_until < EXCLUDED.reported_until
            OR known.reported_until > {hour_ahead}))
    OR (known.brand_id IS NULL AND EXCLUDED.brand_id IS NOT NULL)
RETURNING source, external_id
