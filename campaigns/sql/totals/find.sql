-- Gives totals by account and day, with what is known of the account.
WITH found AS MATERIALIZED (
    SELECT total.id, total.source, total.account, total.day FROM campaigns_spendtotal AS total
    WHERE {which}
), by_account AS MATERIALIZED (
    SELECT source, account, day, {ids} AS ids FROM found GROUP BY source, account, day
)
SELECT found.day, found.source, found.account, account.id, account.currency, account.timezone, found.ids
FROM by_account AS found
LEFT JOIN campaigns_platformaccount AS account ON account.source = found.source AND account.external_id = found.account
ORDER BY found.day DESC, found.source, found.account
