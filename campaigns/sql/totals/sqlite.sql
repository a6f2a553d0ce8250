-- Triggers of reported totals on SQLite, with SQLite's own functions only: the connector's client has no others.

-- An older report and an unchanged total change nothing: a re-read of 35 days rewrites no row.
CREATE TRIGGER campaigns_total_skipped BEFORE UPDATE OF total, as_of ON campaigns_spendtotal
-- guard: older-and-unchanged-totals-are-skipped-on-sqlite
WHEN NEW.as_of < OLD.as_of OR ROUND(NEW.total * 1000000) = ROUND(OLD.total * 1000000)
BEGIN
    SELECT RAISE(IGNORE);
END;

-- What leaves a total to book notes its account and day, once.
CREATE TRIGGER campaigns_total_to_book_inserted AFTER INSERT ON campaigns_spendtotal
WHEN NEW.waiting = 0 AND CAST(ROUND(NEW.total * 1000000) AS bigint) <> NEW.booked
BEGIN
    INSERT INTO campaigns_daytobook (source, account, day) SELECT NEW.source, NEW.account, NEW.day
    WHERE NOT EXISTS (
        SELECT 1 FROM campaigns_daytobook WHERE day = NEW.day AND source = NEW.source AND account = NEW.account
    );
END;

CREATE TRIGGER campaigns_total_to_book_updated AFTER UPDATE OF total, booked, waiting ON campaigns_spendtotal
-- guard: totals-to-book-are-noted-on-sqlite
WHEN NEW.waiting = 0 AND CAST(ROUND(NEW.total * 1000000) AS bigint) <> NEW.booked
BEGIN
    INSERT INTO campaigns_daytobook (source, account, day) SELECT NEW.source, NEW.account, NEW.day
    WHERE NOT EXISTS (
        SELECT 1 FROM campaigns_daytobook WHERE day = NEW.day AND source = NEW.source AND account = NEW.account
    );
END;

-- A figure that was held, had failed or waits for the full check (5 to 7) is judged anew when it changes.
CREATE TRIGGER campaigns_total_restated AFTER UPDATE OF total ON campaigns_spendtotal
WHEN OLD.waiting >= 5
BEGIN
    UPDATE campaigns_spendtotal SET waiting = 0, problem = '' WHERE id = NEW.id;
END;

CREATE TRIGGER campaigns_total_insert_guard BEFORE INSERT ON campaigns_spendtotal
WHEN NEW.as_of > strftime('%Y-%m-%d %H:%M:%f', 'now', '+1 hour') AND NEW.as_of < '2100'
BEGIN
    SELECT RAISE(ABORT, 'a total is known by now: as_of is more than an hour ahead');
END;

CREATE TRIGGER campaigns_total_update_guard BEFORE UPDATE OF as_of ON campaigns_spendtotal
WHEN NEW.as_of > strftime('%Y-%m-%d %H:%M:%f', 'now', '+1 hour') AND NEW.as_of < '2100'
BEGIN
    SELECT RAISE(ABORT, 'a total is known by now: as_of is more than an hour ahead');
END;

-- An account's spend isn't known ahead either. What is stored ahead can stay where other columns change.
CREATE TRIGGER campaigns_account_insert_guard BEFORE INSERT ON campaigns_platformaccount
WHEN NEW.reported_until > strftime('%Y-%m-%d %H:%M:%f', 'now', '+1 hour') AND NEW.reported_until < '2100'
BEGIN
    SELECT RAISE(ABORT, 'spend is known up to now: reported_until is more than an hour ahead');
END;

CREATE TRIGGER campaigns_account_update_guard BEFORE UPDATE OF reported_until ON campaigns_platformaccount
WHEN
    -- guard: known-until-that-is-stored-ahead-can-stay-on-sqlite
    NEW.reported_until IS NOT OLD.reported_until AND
    NEW.reported_until > strftime('%Y-%m-%d %H:%M:%f', 'now', '+1 hour') AND NEW.reported_until < '2100'
BEGIN
    SELECT RAISE(ABORT, 'spend is known up to now: reported_until is more than an hour ahead');
END;

CREATE TRIGGER campaigns_total_key_guard BEFORE UPDATE OF id, source, account, campaign, day ON campaigns_spendtotal
WHEN (NEW.id, NEW.source, NEW.account, NEW.campaign, NEW.day)
    IS NOT (OLD.id, OLD.source, OLD.account, OLD.campaign, OLD.day)
BEGIN
    SELECT RAISE(ABORT, 'a total keeps its source, account, campaign and day');
END;

CREATE TRIGGER campaigns_total_booked_guard BEFORE UPDATE OF booked, revision ON campaigns_spendtotal
-- guard: booked-changes-with-its-revision-on-sqlite
WHEN NEW.revision < OLD.revision OR (NEW.booked <> OLD.booked AND NEW.revision = OLD.revision)
BEGIN
    SELECT RAISE(ABORT, 'what is booked of a total changes with its next revision only');
END;

CREATE TRIGGER campaigns_total_delete_guard BEFORE DELETE ON campaigns_spendtotal
WHEN EXISTS (SELECT 1 FROM campaigns_spendrecord WHERE total_id = OLD.id)
BEGIN
    SELECT RAISE(ABORT, 'a booked total cannot be deleted: report 0 instead');
END;

-- Totals are booked for campaigns that their links lead to or have led to: each of these is kept, to find a campaign's
-- totals by.
CREATE TRIGGER campaigns_link_kept AFTER INSERT ON campaigns_campaignlink
WHEN NEW.campaign_id IS NOT NULL
BEGIN
    INSERT INTO campaigns_linkedcampaign (source, account, campaign, linked_campaign_id)
    SELECT account.source, account.external_id, NEW.external_id, NEW.campaign_id
    FROM campaigns_platformaccount AS account
    WHERE account.id = NEW.account_id
    ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER campaigns_link_led_elsewhere_kept
AFTER UPDATE OF account_id, external_id, campaign_id ON campaigns_campaignlink
WHEN NEW.campaign_id IS NOT NULL
BEGIN
    INSERT INTO campaigns_linkedcampaign (source, account, campaign, linked_campaign_id)
    SELECT account.source, account.external_id, NEW.external_id, NEW.campaign_id
    FROM campaigns_platformaccount AS account
    WHERE account.id = NEW.account_id
    ON CONFLICT DO NOTHING;
END;

-- An account whose key SQL changes has other totals from then on.
CREATE TRIGGER campaigns_link_of_account_kept AFTER UPDATE OF source, external_id ON campaigns_platformaccount
WHEN (NEW.source, NEW.external_id) IS NOT (OLD.source, OLD.external_id)
BEGIN
    INSERT INTO campaigns_linkedcampaign (source, account, campaign, linked_campaign_id)
    SELECT NEW.source, NEW.external_id, led_to.campaign, led_to.campaign_id
    FROM (
        SELECT link.external_id AS campaign, link.campaign_id
        FROM campaigns_campaignlink AS link WHERE link.account_id = NEW.id AND link.campaign_id IS NOT NULL
        UNION
        SELECT link.external_id, earlier.campaign_id
        FROM campaigns_campaignlink AS link
        -- guard: earlier-links-of-an-account-are-kept-on-sqlite
        JOIN campaigns_earlierlink AS earlier ON earlier.link_id = link.id
        WHERE link.account_id = NEW.id
    ) AS led_to
    WHERE 1 = 1
    ON CONFLICT DO NOTHING;
END;

-- A campaign can be deleted once its records are gone; its totals become unassigned (1).
CREATE TRIGGER campaigns_total_unassigned AFTER DELETE ON campaigns_campaign
BEGIN
    UPDATE campaigns_spendtotal
    -- guard: booked-of-a-deleted-campaign-is-0-on-sqlite
    SET booked_campaign_id = NULL, booked = 0, waiting = 1,
        revision = CASE WHEN booked = 0 THEN revision ELSE revision + 1 END
    WHERE booked_campaign_id = OLD.id AND (source, account, campaign) IN (
        SELECT source, account, campaign FROM campaigns_linkedcampaign WHERE linked_campaign_id = OLD.id
    );
    -- guard: links-of-a-deleted-campaign-are-free-on-sqlite
    UPDATE campaigns_campaignlink SET campaign_id = NULL WHERE campaign_id = OLD.id;
    -- guard: links-of-a-deleted-campaign-are-forgotten-on-sqlite
    DELETE FROM campaigns_linkedcampaign WHERE linked_campaign_id = OLD.id;
END;

CREATE TRIGGER campaigns_account_without_brand AFTER DELETE ON campaigns_brand
BEGIN
    UPDATE campaigns_platformaccount SET brand_id = NULL WHERE brand_id = OLD.id;
END;

-- What PostgreSQL says with foreign keys.
CREATE TRIGGER campaigns_link_insert_guard BEFORE INSERT ON campaigns_campaignlink
WHEN NOT EXISTS (SELECT 1 FROM campaigns_platformaccount WHERE id = NEW.account_id) OR (
    NEW.campaign_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM campaigns_campaign WHERE id = NEW.campaign_id)
)
BEGIN
    SELECT RAISE(ABORT, 'a link belongs to an account and leads to a campaign: unknown account_id or campaign_id');
END;

CREATE TRIGGER campaigns_link_update_guard BEFORE UPDATE OF account_id, campaign_id ON campaigns_campaignlink
WHEN NOT EXISTS (SELECT 1 FROM campaigns_platformaccount WHERE id = NEW.account_id) OR (
    NEW.campaign_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM campaigns_campaign WHERE id = NEW.campaign_id)
)
BEGIN
    SELECT RAISE(ABORT, 'a link belongs to an account and leads to a campaign: unknown account_id or campaign_id');
END;
