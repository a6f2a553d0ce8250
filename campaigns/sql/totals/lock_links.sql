-- Of totals that are booked for the first time: those whose link somebody is changing just now. They are left for the
-- next check, or they could be booked for the campaign that they move away from.
WITH unassigned AS MATERIALIZED (
    SELECT total.id, link.id AS link_id
    FROM campaigns_spendtotal AS total
    JOIN campaigns_platformaccount AS account
        ON account.source = total.source AND account.external_id = total.account
    JOIN campaigns_campaignlink AS link ON link.account_id = account.id AND link.external_id = total.campaign
    WHERE {in_batch} AND total.booked_campaign_id IS NULL
), locked AS MATERIALIZED (
    SELECT id FROM campaigns_campaignlink WHERE id IN (SELECT link_id FROM unassigned)
    ORDER BY id FOR KEY SHARE SKIP LOCKED
)
SELECT id FROM unassigned WHERE link_id NOT IN (SELECT id FROM locked)
