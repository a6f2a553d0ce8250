-- The days and accounts of totals, each with their ids and what is known of the account.
WITH found AS MATERIALIZED (
    SELECT total.id, total.source, total.account, total.day FROM campaigns_spendtotal AS total WHERE {which}
), by_account AS MATERIALIZED (
    SELECT source, account, day, {ids} AS ids FROM found GROUP BY source, account, day
)
SELECT account_day.day, account_day.source, account_day.account, account_day.zone, {json} AS json
FROM (
    SELECT
        found.day, found.source, found.account, account.id AS account_id, account.currency, account.timezone AS zone,
        found.ids
    FROM by_account AS found
    LEFT JOIN campaigns_platformaccount AS account
        ON account.source = found.source AND account.external_id = found.account
) AS account_day
ORDER BY account_day.day DESC, account_day.source, account_day.account
