-- Triggers of the spend ledger on SQLite, with SQLite's own functions only: the connector's client has no others.
-- Outside clients have foreign_keys off, so what PostgreSQL says with foreign keys is said here with RAISE.

-- Each row appends what it changed, in millionths, rounded here once.
CREATE TRIGGER campaigns_spend_inserted AFTER INSERT ON campaigns_spendrecord
BEGIN
    INSERT INTO campaigns_pendingspend (brand_id, campaign_id, quarter, amount)
    VALUES (
        NEW.brand_id, NEW.campaign_id,
        -- guard: quarter-of-an-hour
        CAST(strftime('%s', substr(NEW.timestamp, 1, 19)) AS integer) / 900,
        -- guard: inserted-amount-is-rounded
        CAST(ROUND(NEW.amount * 1000000) AS integer)
    );
END;

CREATE TRIGGER campaigns_spend_updated
-- guard: spend-update-is-counted
AFTER UPDATE OF brand_id, campaign_id, amount, timestamp ON campaigns_spendrecord
BEGIN
    INSERT INTO campaigns_pendingspend (brand_id, campaign_id, quarter, amount)
    VALUES (
        OLD.brand_id, OLD.campaign_id,
        CAST(strftime('%s', substr(OLD.timestamp, 1, 19)) AS integer) / 900,
        -- guard: earlier-amount-is-rounded
        -CAST(ROUND(OLD.amount * 1000000) AS integer)
    ), (
        NEW.brand_id, NEW.campaign_id,
        CAST(strftime('%s', substr(NEW.timestamp, 1, 19)) AS integer) / 900,
        -- guard: updated-amount-is-rounded
        CAST(ROUND(NEW.amount * 1000000) AS integer)
    );
END;

CREATE TRIGGER campaigns_spend_deleted AFTER DELETE ON campaigns_spendrecord
BEGIN
    INSERT INTO campaigns_pendingspend (brand_id, campaign_id, quarter, amount)
    VALUES (
        OLD.brand_id, OLD.campaign_id,
        CAST(strftime('%s', substr(OLD.timestamp, 1, 19)) AS integer) / 900,
        -- guard: deleted-amount-is-rounded
        -CAST(ROUND(OLD.amount * 1000000) AS integer)
    );
END;

-- A record's brand is its campaign's.
CREATE TRIGGER campaigns_spend_insert_guard BEFORE INSERT ON campaigns_spendrecord
WHEN NOT EXISTS (SELECT 1 FROM campaigns_campaign WHERE id = NEW.campaign_id AND brand_id = NEW.brand_id)
BEGIN
    SELECT RAISE(ABORT, 'spend_brand_is_the_campaigns_brand: no campaign has this campaign_id and brand_id');
END;

CREATE TRIGGER campaigns_spend_update_guard BEFORE UPDATE OF brand_id, campaign_id ON campaigns_spendrecord
WHEN NOT EXISTS (SELECT 1 FROM campaigns_campaign WHERE id = NEW.campaign_id AND brand_id = NEW.brand_id)
BEGIN
    SELECT RAISE(ABORT, 'spend_brand_is_the_campaigns_brand: no campaign has this campaign_id and brand_id');
END;

-- What has spend stays, and stays where it is (R14).
CREATE TRIGGER campaigns_campaign_delete_guard BEFORE DELETE ON campaigns_campaign
WHEN EXISTS (SELECT 1 FROM campaigns_spendrecord WHERE campaign_id = OLD.id)
BEGIN
    SELECT RAISE(ABORT, 'a campaign with spend cannot be deleted: turn it off instead');
END;

CREATE TRIGGER campaigns_campaign_move_guard BEFORE UPDATE OF id, brand_id ON campaigns_campaign
-- guard: campaign-with-spend-stays
WHEN (NEW.id <> OLD.id OR NEW.brand_id <> OLD.brand_id)
    -- guard: campaign-without-spend-moves
    AND EXISTS (SELECT 1 FROM campaigns_spendrecord WHERE campaign_id = OLD.id)
BEGIN
    SELECT RAISE(ABORT, 'a campaign with spend cannot move to another brand: make a new campaign there');
END;

CREATE TRIGGER campaigns_campaign_insert_guard BEFORE INSERT ON campaigns_campaign
WHEN NOT EXISTS (SELECT 1 FROM campaigns_brand WHERE id = NEW.brand_id)
BEGIN
    SELECT RAISE(ABORT, 'a campaign belongs to a brand: unknown brand_id');
END;

CREATE TRIGGER campaigns_brand_delete_guard BEFORE DELETE ON campaigns_brand
WHEN EXISTS (SELECT 1 FROM campaigns_campaign WHERE brand_id = OLD.id)
BEGIN
    SELECT RAISE(ABORT, 'a brand with campaigns cannot be deleted: turn it off instead');
END;

-- A campaign can be deleted once its records are gone; what hangs on it goes with it.
CREATE TRIGGER campaigns_campaign_deleted AFTER DELETE ON campaigns_campaign
BEGIN
    -- guard: days-deleted-with-campaign
    DELETE FROM campaigns_campaignday WHERE campaign_id = OLD.id;
    -- guard: windows-deleted-with-campaign
    DELETE FROM campaigns_daypartingschedule WHERE campaign_id = OLD.id;
    -- guard: history-deleted-with-campaign
    DELETE FROM campaigns_statuschange WHERE campaign_id = OLD.id;
END;

-- A new brand is accounted in its own zone; the rows that say so go with the brand.
CREATE TRIGGER campaigns_brand_inserted AFTER INSERT ON campaigns_brand
BEGIN
    INSERT INTO campaigns_accountingtimezone (brand_id, kind, timezone)
    VALUES (NEW.id, 'day', NEW.timezone), (NEW.id, 'month', NEW.timezone);
END;

CREATE TRIGGER campaigns_brand_deleted AFTER DELETE ON campaigns_brand
BEGIN
    -- guard: zones-deleted-with-brand
    DELETE FROM campaigns_accountingtimezone WHERE brand_id = OLD.id;
    -- guard: periods-deleted-with-brand
    DELETE FROM campaigns_brandperiod WHERE brand_id = OLD.id;
END;

-- History is never edited (R13).
CREATE TRIGGER campaigns_history_updated BEFORE UPDATE ON campaigns_statuschange
BEGIN
    SELECT RAISE(ABORT, 'a line of the status history is never edited: a new change writes a new line');
END;

CREATE TRIGGER campaigns_history_of_settings_updated BEFORE UPDATE ON campaigns_settingchange
BEGIN
    SELECT RAISE(ABORT, 'a line of the settings history is never edited: a new change writes a new line');
END;

-- What PostgreSQL says with its other foreign keys.
CREATE TRIGGER campaigns_campaign_update_guard BEFORE UPDATE OF brand_id ON campaigns_campaign
WHEN NOT EXISTS (SELECT 1 FROM campaigns_brand WHERE id = NEW.brand_id)
BEGIN
    SELECT RAISE(ABORT, 'a campaign belongs to a brand: unknown brand_id');
END;

CREATE TRIGGER campaigns_brand_update_guard BEFORE UPDATE OF id ON campaigns_brand
WHEN NEW.id <> OLD.id
BEGIN
    SELECT RAISE(ABORT, 'a brand keeps its id: its campaigns and periods refer to it');
END;

CREATE TRIGGER campaigns_window_insert_guard BEFORE INSERT ON campaigns_daypartingschedule
WHEN NOT EXISTS (SELECT 1 FROM campaigns_campaign WHERE id = NEW.campaign_id)
BEGIN
    SELECT RAISE(ABORT, 'a window belongs to a campaign: unknown campaign_id');
END;

CREATE TRIGGER campaigns_window_update_guard BEFORE UPDATE OF campaign_id ON campaigns_daypartingschedule
WHEN NOT EXISTS (SELECT 1 FROM campaigns_campaign WHERE id = NEW.campaign_id)
BEGIN
    SELECT RAISE(ABORT, 'a window belongs to a campaign: unknown campaign_id');
END;

-- A name written by SQL has no comparison key; the product's own renaming writes the new key after the name.
CREATE TRIGGER campaigns_brand_renamed AFTER UPDATE OF name ON campaigns_brand
WHEN NEW.name IS NOT OLD.name AND NEW.name_key IS OLD.name_key
BEGIN
    UPDATE campaigns_brand SET name_key = NULL WHERE id = NEW.id;
END;

CREATE TRIGGER campaigns_campaign_renamed AFTER UPDATE OF name ON campaigns_campaign
WHEN NEW.name IS NOT OLD.name AND NEW.name_key IS OLD.name_key
BEGIN
    UPDATE campaigns_campaign SET name_key = NULL WHERE id = NEW.id;
END;

-- What has been spent, and what was closed, is in the brand's currency: it stays.
CREATE TRIGGER campaigns_brand_currency_guard BEFORE UPDATE OF currency ON campaigns_brand
WHEN NEW.currency IS NOT OLD.currency AND (
    EXISTS (
        SELECT 1 FROM campaigns_brandperiod
        WHERE brand_id = OLD.id AND (closed_at IS NOT NULL OR spend <> 0)
    ) OR EXISTS (
        SELECT 1 FROM campaigns_campaign AS campaign
        WHERE campaign.brand_id = OLD.id AND (
            SELECT record.id FROM campaigns_spendrecord AS record
            WHERE record.campaign_id = campaign.id ORDER BY record.external_id LIMIT 1
        ) IS NOT NULL
    )
)
BEGIN
    SELECT RAISE(ABORT, 'a brand with spend or final statements keeps its currency: make a new brand for another one');
END;
