-- Microsoft Advertising by Fivetran: the views that send.sql reads. Needs CAMPAIGN_PERFORMANCE_DAILY_REPORT.
-- Run this once, as the owner of the tables of the pipeline, and again after a change; then send.sql after each sync.
-- Replace bingads with the schema of your connection.
SET search_path = bingads;

-- One row a campaign and day: the report has rows by device and network. 35 days are read.
CREATE OR REPLACE VIEW budget_totals AS
SELECT 'microsoft_ads' AS source, report.account_id::text AS account, report.campaign_id::text AS campaign,
    COALESCE(MAX(campaign.name), '') AS name, report.date AS day,
    SUM(ROUND(report.spend::numeric, 6)) AS total, MAX(report._fivetran_synced) AS as_of
FROM campaign_performance_daily_report AS report
LEFT JOIN LATERAL (
    SELECT name FROM campaign_history AS history
    WHERE history.id = report.campaign_id ORDER BY modified_time DESC LIMIT 1
) AS campaign ON TRUE
WHERE report.date >= CURRENT_DATE - 35
GROUP BY report.account_id, report.campaign_id, report.date;

-- One row an account. Microsoft has names of its own for time zones: those that aren't
-- in this list stay empty, and the account's page in the admin asks for them.
CREATE OR REPLACE VIEW budget_accounts AS
SELECT 'microsoft_ads' AS source, account.id::text AS account, COALESCE(account.name, '') AS name,
    COALESCE(account.currency_code, reported.currency_code, '') AS currency, COALESCE(zone.iana, '') AS timezone,
    CURRENT_DATE - 35 AS from_day, reported.as_of
FROM (SELECT DISTINCT ON (id) * FROM account_history ORDER BY id, last_modified_time DESC) AS account
LEFT JOIN (
    SELECT account_id, MAX(currency_code) AS currency_code, MAX(_fivetran_synced) AS as_of
    FROM campaign_performance_daily_report
    WHERE date >= CURRENT_DATE - 35
    GROUP BY account_id
) AS reported ON reported.account_id = account.id
LEFT JOIN (VALUES
    ('PacificTimeUSCanadaTijuana', 'America/Los_Angeles'),
    ('MountainTimeUSCanada', 'America/Denver'),
    ('Arizona', 'America/Phoenix'),
    ('CentralTimeUSCanada', 'America/Chicago'),
    ('EasternTimeUSCanada', 'America/New_York'),
    ('AtlanticTimeCanada', 'America/Halifax'),
    ('Brasilia', 'America/Sao_Paulo'),
    ('GreenwichMeanTimeDublinEdinburghLisbonLondon', 'Europe/London'),
    ('AmsterdamBerlinBernRomeStockholmVienna', 'Europe/Berlin'),
    ('BrusselsCopenhagenMadridParis', 'Europe/Paris'),
    ('SarajevoSkopjeWarsawZagreb', 'Europe/Warsaw'),
    ('AthensIslandanbulMinsk', 'Europe/Athens'),
    ('HelsinkiKyivRigaSofiaTallinnVilnius', 'Europe/Helsinki'),
    ('AbuDhabiMuscat', 'Asia/Dubai'),
    ('ChennaiKolkataMumbaiNewDelhi', 'Asia/Kolkata'),
    ('KualaLumpurSingapore', 'Asia/Singapore'),
    ('BeijingChongqingHongKongUrumqi', 'Asia/Shanghai'),
    ('OsakaSapporoTokyo', 'Asia/Tokyo'),
    ('CanberraMelbourneSydney', 'Australia/Sydney'),
    ('AucklandWellington', 'Pacific/Auckland')
) AS zone (microsoft, iana) ON zone.microsoft = account.time_zone;

-- The role of the connector reads the views only.
GRANT USAGE ON SCHEMA bingads TO connector;
GRANT SELECT ON budget_totals, budget_accounts TO connector;
