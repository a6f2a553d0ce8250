-- One batch of a fold: adds pending rows to the totals, then takes them away. SQLite has no DELETE inside a WITH, so
-- each statement finds the rows anew; nobody else writes during the transaction.
WITH {taken}, {booked},
campaign_total AS (
    SELECT campaign_id, starts_on, exact_sum(amount) AS spend
    FROM booked WHERE kind = 'day' GROUP BY campaign_id, starts_on
)
INSERT INTO campaigns_campaignday (campaign_id, day, spend)
SELECT campaign_id, starts_on, spend FROM campaign_total WHERE campaign_id IN (SELECT id FROM campaigns_campaign)
-- guard: added-to-campaign-day
ON CONFLICT (day, campaign_id) DO UPDATE SET spend = campaigns_campaignday.spend + excluded.spend;

WITH {taken}, {booked},
brand_total AS (
    SELECT brand_id, kind, starts_on, exact_sum(amount) AS spend
    FROM booked GROUP BY brand_id, kind, starts_on
)
INSERT INTO campaigns_brandperiod (brand_id, kind, starts_on, spend)
SELECT brand_id, kind, starts_on, spend FROM brand_total WHERE brand_id IN (SELECT id FROM campaigns_brand)
-- guard: added-to-brand-period
ON CONFLICT (kind, starts_on, brand_id) DO UPDATE SET spend = campaigns_brandperiod.spend + excluded.spend;

-- A brand is due once for each of its days, as in fold.postgresql.sql.
WITH {taken}, {booked}
INSERT INTO campaigns_duebrand (brand_id, due_quarter)
-- guard: due-when-the-day-begins
SELECT DISTINCT brand_id, day_from FROM booked WHERE kind = 'day' AND day_from >= %(due_from)s;

WITH {taken}
DELETE FROM campaigns_pendingspend WHERE id IN (SELECT id FROM spent);
