-- The accounting time zones of brands with pending spend, and NULL if one of these brands has lost its zones.
WITH
spent AS MATERIALIZED (
    SELECT DISTINCT brand_id FROM campaigns_pendingspend WHERE id <= %(newest)s AND {in_scope}
),
zone AS MATERIALIZED (
    SELECT brand_id, timezone FROM campaigns_accountingtimezone WHERE {of_spent_brands}
)
SELECT DISTINCT timezone FROM zone
UNION ALL
SELECT NULL WHERE (SELECT COUNT(DISTINCT brand_id) FROM zone) < (SELECT COUNT(*) FROM spent)
