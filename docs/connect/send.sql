-- Sends what the views budget_accounts and budget_totals show and the budget manager doesn't have yet. PostgreSQL.
--
-- Run it after each sync, in one transaction, as the role that `manage.py connector_role NAME --totals` creates, with the
-- schema of the views in front:
--
--     PGOPTIONS='-c search_path=google_ads,public' psql --single-transaction -v ON_ERROR_STOP=1 -f send.sql
--
-- It can be repeated: what is stored already isn't sent again, and an older report changes nothing.

-- New accounts, and those whose name, currency or time zone has changed. An empty one doesn't replace what people entered.
INSERT INTO campaigns_platformaccount (source, external_id, name, currency, timezone)
SELECT source, account, name, currency, timezone
FROM budget_accounts AS reported
WHERE NOT EXISTS (
    SELECT FROM campaigns_platformaccount AS stored
    WHERE stored.source = reported.source AND stored.external_id = reported.account
        AND (stored.name = reported.name OR reported.name = '')
        AND (stored.currency = reported.currency OR reported.currency = '')
        AND (stored.timezone = reported.timezone OR reported.timezone = '')
)
ORDER BY source, account
ON CONFLICT (source, external_id) DO UPDATE SET
    name = COALESCE(NULLIF(EXCLUDED.name, ''), campaigns_platformaccount.name),
    currency = COALESCE(NULLIF(EXCLUDED.currency, ''), campaigns_platformaccount.currency),
    timezone = COALESCE(NULLIF(EXCLUDED.timezone, ''), campaigns_platformaccount.timezone);

-- New and renamed campaigns. People link them to campaigns of the budget manager; a renamed one stays linked.
INSERT INTO campaigns_campaignlink (account_id, external_id, name)
SELECT account.id, reported.campaign, MAX(reported.name)
FROM budget_totals AS reported
JOIN campaigns_platformaccount AS account
    ON account.source = reported.source AND account.external_id = reported.account
LEFT JOIN campaigns_campaignlink AS stored
    ON stored.account_id = account.id AND stored.external_id = reported.campaign
GROUP BY account.id, reported.campaign, stored.id, stored.name
HAVING stored.id IS NULL OR (MAX(reported.name) <> stored.name AND MAX(reported.name) <> '')
ORDER BY account.id, reported.campaign
ON CONFLICT (account_id, external_id) DO UPDATE SET name = EXCLUDED.name;

-- Totals that differ from those that are stored, and 0 for those that have vanished from the report of an account whose
-- sync has brought something newer. Sorted, so that two syncs at once don't deadlock.
INSERT INTO campaigns_spendtotal (source, account, campaign, day, total, as_of)
SELECT source, account, campaign, day, total, as_of
FROM (
    SELECT reported.source, reported.account, reported.campaign, reported.day, reported.total, reported.as_of
    FROM budget_totals AS reported
    LEFT JOIN campaigns_spendtotal AS stored USING (source, account, campaign, day)
    WHERE reported.total <> COALESCE(stored.total, 0)

    UNION ALL

    SELECT stored.source, stored.account, stored.campaign, stored.day, 0, account.as_of
    FROM budget_accounts AS account
    JOIN campaigns_spendtotal AS stored USING (source, account)
    WHERE stored.day >= account.from_day AND stored.total <> 0 AND stored.as_of < account.as_of
        AND NOT EXISTS (
            SELECT FROM budget_totals AS reported
            WHERE reported.source = stored.source AND reported.account = stored.account
                AND reported.campaign = stored.campaign AND reported.day = stored.day
        )
) AS changed
ORDER BY source, account, campaign, day
ON CONFLICT (source, account, campaign, day) DO UPDATE SET total = EXCLUDED.total, as_of = EXCLUDED.as_of;

-- That the sync has run: until when the accounts' spend is known.
UPDATE campaigns_platformaccount AS stored SET reported_until = reported.as_of
FROM budget_accounts AS reported
WHERE stored.source = reported.source AND stored.external_id = reported.account
    -- What is stored ahead is wrong, and corrected.
    AND (reported.as_of > COALESCE(stored.reported_until, '-infinity')
        OR stored.reported_until > now() + interval '1 hour');
