-- Triggers of the spend ledger on PostgreSQL. {schema} is the schema that the tables live in.
-- The functions run as their owner, so that the connector's role needs no more than INSERT on the ledger, and with a
-- pinned search_path, so that no other schema can slip in a table of the same name.

-- Each statement appends what it changed: one row for each campaign and quarter-hour, sums in millionths.
-- Large amounts keep rows of their own: the sum of ten thousand of them wouldn't fit into 64 bits, and the statement
-- would be refused though each of its rows is valid. An insert of one row has nothing to group, and most are of one row.
-- date_part reckons in floating point, in a third of the time that EXTRACT takes, and is exact: the last microsecond of a
-- quarter-hour is 1.1e-9 below the next one's number, and two roundings take less than that until 2112.
CREATE FUNCTION {schema}.campaigns_spend_inserted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- guard: insert-is-grouped
    IF EXISTS (SELECT FROM added OFFSET 1) THEN
        INSERT INTO {schema}.campaigns_pendingspend (brand_id, campaign_id, quarter, amount)
        SELECT brand_id, campaign_id, FLOOR(date_part('epoch', timestamp) / 900)::integer,
            SUM((amount * 1000000)::bigint)
        FROM added
        GROUP BY 1, 2, 3, CASE WHEN ABS(amount) > 100000 THEN id END;
    ELSE
        INSERT INTO {schema}.campaigns_pendingspend (brand_id, campaign_id, quarter, amount)
        -- guard: last-microsecond
        SELECT brand_id, campaign_id, FLOOR(date_part('epoch', timestamp) / 900)::integer, (amount * 1000000)::bigint
        FROM added;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION {schema}.campaigns_spend_deleted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO {schema}.campaigns_pendingspend (brand_id, campaign_id, quarter, amount)
    -- guard: deleted-amount-is-subtracted
    SELECT brand_id, campaign_id, FLOOR(date_part('epoch', timestamp) / 900)::integer, SUM((-amount * 1000000)::bigint)
    FROM removed
    GROUP BY 1, 2, 3, CASE WHEN ABS(amount) > 100000 THEN id END;
    RETURN NULL;
END $$;

CREATE FUNCTION {schema}.campaigns_spend_updated() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO {schema}.campaigns_pendingspend (brand_id, campaign_id, quarter, amount)
    SELECT brand_id, campaign_id, FLOOR(date_part('epoch', timestamp) / 900)::integer, SUM((amount * 1000000)::bigint)
    FROM (
        SELECT id, brand_id, campaign_id, timestamp, amount FROM added
        UNION ALL
        -- guard: earlier-amount-is-subtracted
        SELECT id, brand_id, campaign_id, timestamp, -amount FROM removed
    ) AS changed
    GROUP BY 1, 2, 3, CASE WHEN ABS(amount) > 100000 THEN id END
    -- guard: nothing-pending-of-no-change
    HAVING SUM(amount) <> 0;
    RETURN NULL;
END $$;

-- An emptied ledger has no spend: pending and totals go with it; what was kept at a closing stays. Waiting for the ledger
-- lock lets a fold that is under way finish first.
CREATE FUNCTION {schema}.campaigns_spend_truncated() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- guard: truncate-waits-for-folds
    PERFORM pg_advisory_xact_lock({ledger_lock});
    -- guard: truncate-empties-pending
    DELETE FROM {schema}.campaigns_pendingspend;
    -- guard: truncate-empties-days
    DELETE FROM {schema}.campaigns_campaignday;
    -- guard: truncate-empties-periods
    UPDATE {schema}.campaigns_brandperiod SET spend = 0 WHERE spend <> 0;
    RETURN NULL;
END $$;

CREATE TRIGGER campaigns_spend_inserted AFTER INSERT ON {schema}.campaigns_spendrecord
REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION {schema}.campaigns_spend_inserted();

CREATE TRIGGER campaigns_spend_updated AFTER UPDATE ON {schema}.campaigns_spendrecord
REFERENCING OLD TABLE AS removed NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION {schema}.campaigns_spend_updated();

CREATE TRIGGER campaigns_spend_deleted AFTER DELETE ON {schema}.campaigns_spendrecord
REFERENCING OLD TABLE AS removed
FOR EACH STATEMENT EXECUTE FUNCTION {schema}.campaigns_spend_deleted();

CREATE TRIGGER campaigns_spend_truncated AFTER TRUNCATE ON {schema}.campaigns_spendrecord
FOR EACH STATEMENT EXECUTE FUNCTION {schema}.campaigns_spend_truncated();

-- A record's brand is its campaign's (one foreign key for both), and so a campaign with spend stays with its brand and
-- neither can be deleted (R14). Not deferred: the sender hears of it at the statement.
-- It stays when triggers are made anew: making it reads the whole ledger, with writers waiting.
DO $$ BEGIN
    -- guard: brand-of-spend-is-its-campaigns
    IF NOT EXISTS (
        SELECT FROM pg_constraint
        WHERE conname = 'spend_brand_is_the_campaigns_brand' AND conrelid = '{schema}.campaigns_spendrecord'::regclass
    ) THEN
        ALTER TABLE {schema}.campaigns_spendrecord
        ADD CONSTRAINT spend_brand_is_the_campaigns_brand
        -- guard: brand-of-spend-is-checked-at-once
        FOREIGN KEY (brand_id, campaign_id) REFERENCES {schema}.campaigns_campaign (brand_id, id);
    END IF;
END $$;

-- A new brand is accounted in its own zone; the rows that say so go with the brand.
CREATE FUNCTION {schema}.campaigns_brand_inserted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO {schema}.campaigns_accountingtimezone (brand_id, kind, timezone)
    SELECT id, kind, timezone FROM added CROSS JOIN (VALUES ('day'), ('month')) AS kinds(kind);
    RETURN NULL;
END $$;

CREATE FUNCTION {schema}.campaigns_brand_deleted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM {schema}.campaigns_accountingtimezone WHERE brand_id IN (SELECT id FROM removed);
    RETURN NULL;
END $$;

CREATE TRIGGER campaigns_brand_inserted AFTER INSERT ON {schema}.campaigns_brand
REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION {schema}.campaigns_brand_inserted();

CREATE TRIGGER campaigns_brand_deleted AFTER DELETE ON {schema}.campaigns_brand
REFERENCING OLD TABLE AS removed
FOR EACH STATEMENT EXECUTE FUNCTION {schema}.campaigns_brand_deleted();

-- A campaign can be deleted once its records are gone; what is pending and folded of it adds up to 0 then.
CREATE FUNCTION {schema}.campaigns_campaign_deleted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM {schema}.campaigns_campaignday WHERE campaign_id IN (SELECT id FROM removed);
    RETURN NULL;
END $$;

CREATE TRIGGER campaigns_campaign_deleted AFTER DELETE ON {schema}.campaigns_campaign
REFERENCING OLD TABLE AS removed
FOR EACH STATEMENT EXECUTE FUNCTION {schema}.campaigns_campaign_deleted();

-- History is never edited (R13).
CREATE FUNCTION {schema}.campaigns_history_updated() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a line of the % history is never edited: a new change writes a new line', TG_ARGV[0]
    USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER campaigns_history_updated BEFORE UPDATE ON {schema}.campaigns_statuschange
FOR EACH STATEMENT EXECUTE FUNCTION {schema}.campaigns_history_updated('status');

-- A later migration creates this table, and creates the triggers again then.
DO $$ BEGIN
IF to_regclass('{schema}.campaigns_settingchange') IS NOT NULL THEN
CREATE TRIGGER campaigns_history_of_settings_updated BEFORE UPDATE ON {schema}.campaigns_settingchange
FOR EACH STATEMENT EXECUTE FUNCTION {schema}.campaigns_history_updated('settings');
END IF;
END $$;

-- A name written by SQL has no comparison key; the product's own renaming writes the new key after the name.
CREATE FUNCTION {schema}.campaigns_renamed() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.name <> OLD.name AND NEW.name_key IS NOT DISTINCT FROM OLD.name_key THEN
        NEW.name_key := NULL;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER campaigns_brand_renamed BEFORE UPDATE OF name ON {schema}.campaigns_brand
FOR EACH ROW EXECUTE FUNCTION {schema}.campaigns_renamed();

CREATE TRIGGER campaigns_campaign_renamed BEFORE UPDATE OF name ON {schema}.campaigns_campaign
FOR EACH ROW EXECUTE FUNCTION {schema}.campaigns_renamed();

-- What has been spent, and what was closed, is in the brand's currency: it stays. In this order and with a limit, the
-- planner looks one record up by the index of each campaign, where it could read all of the ledger.
CREATE FUNCTION {schema}.campaigns_brand_currency_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM {schema}.campaigns_brandperiod AS period
        WHERE period.brand_id = OLD.id AND (period.closed_at IS NOT NULL OR period.spend <> 0)
    ) OR EXISTS (
        SELECT FROM {schema}.campaigns_campaign AS campaign
        WHERE campaign.brand_id = OLD.id AND (
            SELECT record.id FROM {schema}.campaigns_spendrecord AS record
            WHERE record.campaign_id = campaign.id ORDER BY record.external_id LIMIT 1
        ) IS NOT NULL
    ) THEN
        RAISE EXCEPTION 'a brand with spend or final statements keeps its currency: make a new brand for another one'
        USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER campaigns_brand_currency_guard BEFORE UPDATE OF currency ON {schema}.campaigns_brand
FOR EACH ROW WHEN (NEW.currency IS DISTINCT FROM OLD.currency)
EXECUTE FUNCTION {schema}.campaigns_brand_currency_guard();
