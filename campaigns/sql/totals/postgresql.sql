-- Triggers of reported totals on PostgreSQL. {schema} is the schema that the tables live in.

-- An older report and an unchanged total change nothing: a re-read of 35 days rewrites no row.
CREATE FUNCTION {schema}.campaigns_total_skipped() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RETURN NULL;
END $$;

CREATE TRIGGER campaigns_total_skipped BEFORE UPDATE OF total, as_of ON {schema}.campaigns_spendtotal
-- guard: older-and-unchanged-totals-are-skipped
FOR EACH ROW WHEN (NEW.as_of < OLD.as_of OR NEW.total = OLD.total)
EXECUTE FUNCTION {schema}.campaigns_total_skipped();

-- Each statement that leaves totals to book, a connector's or one of ours, notes their accounts and days: a few rows for
-- many totals, where an index of the totals to book would be written at each change and each booking.
CREATE FUNCTION {schema}.campaigns_total_to_book() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO {schema}.campaigns_daytobook (source, account, day)
    SELECT DISTINCT source, account, day FROM changed
    -- guard: totals-to-book-are-noted
    WHERE waiting = 0 AND (total * 1000000)::bigint <> booked;
    RETURN NULL;
END $$;

-- A later migration creates this table, and creates the triggers again then.
DO $$ BEGIN
IF to_regclass('{schema}.campaigns_daytobook') IS NOT NULL THEN
CREATE TRIGGER campaigns_total_to_book_inserted AFTER INSERT ON {schema}.campaigns_spendtotal
REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION {schema}.campaigns_total_to_book();

CREATE TRIGGER campaigns_total_to_book_updated AFTER UPDATE ON {schema}.campaigns_spendtotal
REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION {schema}.campaigns_total_to_book();
END IF;
END $$;

-- A figure that was held, had failed or waits for the full check (5 to 7) is judged anew when it changes.
CREATE FUNCTION {schema}.campaigns_total_restated() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.waiting := 0;
    NEW.problem := '';
    RETURN NEW;
END $$;

CREATE TRIGGER campaigns_total_restated BEFORE UPDATE OF total ON {schema}.campaigns_spendtotal
FOR EACH ROW WHEN (NEW.total <> OLD.total AND OLD.waiting >= 5)
EXECUTE FUNCTION {schema}.campaigns_total_restated();

CREATE FUNCTION {schema}.campaigns_total_refused() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER campaigns_total_insert_guard BEFORE INSERT ON {schema}.campaigns_spendtotal
FOR EACH ROW WHEN (NEW.as_of > statement_timestamp() + interval '1 hour')
EXECUTE FUNCTION {schema}.campaigns_total_refused('a total is known by now: as_of is more than an hour ahead');

CREATE TRIGGER campaigns_total_update_guard BEFORE UPDATE OF as_of ON {schema}.campaigns_spendtotal
FOR EACH ROW WHEN (NEW.as_of > statement_timestamp() + interval '1 hour')
EXECUTE FUNCTION {schema}.campaigns_total_refused('a total is known by now: as_of is more than an hour ahead');

-- An account's spend isn't known ahead either. What is stored ahead can stay where other columns change.
CREATE TRIGGER campaigns_account_insert_guard BEFORE INSERT ON {schema}.campaigns_platformaccount
FOR EACH ROW WHEN (NEW.reported_until > statement_timestamp() + interval '1 hour')
EXECUTE FUNCTION {schema}.campaigns_total_refused('spend is known up to now: reported_until is more than an hour ahead');

CREATE TRIGGER campaigns_account_update_guard BEFORE UPDATE OF reported_until ON {schema}.campaigns_platformaccount
FOR EACH ROW WHEN (
    -- guard: known-until-that-is-stored-ahead-can-stay
    NEW.reported_until IS DISTINCT FROM OLD.reported_until AND
    NEW.reported_until > statement_timestamp() + interval '1 hour'
)
EXECUTE FUNCTION {schema}.campaigns_total_refused('spend is known up to now: reported_until is more than an hour ahead');

CREATE TRIGGER campaigns_total_key_guard BEFORE UPDATE OF id, source, account, campaign, day
ON {schema}.campaigns_spendtotal FOR EACH ROW
WHEN ((NEW.id, NEW.source, NEW.account, NEW.campaign, NEW.day)
    IS DISTINCT FROM (OLD.id, OLD.source, OLD.account, OLD.campaign, OLD.day))
EXECUTE FUNCTION {schema}.campaigns_total_refused('a total keeps its source, account, campaign and day');

CREATE TRIGGER campaigns_total_booked_guard BEFORE UPDATE OF booked, revision ON {schema}.campaigns_spendtotal
FOR EACH ROW
-- guard: booked-changes-with-its-revision
WHEN (NEW.revision < OLD.revision OR (NEW.booked <> OLD.booked AND NEW.revision = OLD.revision))
EXECUTE FUNCTION {schema}.campaigns_total_refused('what is booked of a total changes with its next revision only');

CREATE FUNCTION {schema}.campaigns_total_delete_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM {schema}.campaigns_spendrecord WHERE total_id = OLD.id) THEN
        RAISE EXCEPTION 'a booked total cannot be deleted: report 0 instead' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN OLD;
END $$;

CREATE TRIGGER campaigns_total_delete_guard BEFORE DELETE ON {schema}.campaigns_spendtotal
FOR EACH ROW WHEN (OLD.revision > 0)
EXECUTE FUNCTION {schema}.campaigns_total_delete_guard();

CREATE FUNCTION {schema}.campaigns_totals_truncated() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM {schema}.campaigns_spendrecord WHERE total_id IS NOT NULL) THEN
        RAISE EXCEPTION 'a booked total cannot be deleted: report 0 instead' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER campaigns_totals_truncated AFTER TRUNCATE ON {schema}.campaigns_spendtotal
FOR EACH STATEMENT EXECUTE FUNCTION {schema}.campaigns_totals_truncated();

-- Of an emptied ledger nothing is booked: the totals are booked again.
CREATE FUNCTION {schema}.campaigns_total_unbooked() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE {schema}.campaigns_spendtotal SET booked = 0, revision = revision + 1 WHERE booked <> 0;
    RETURN NULL;
END $$;

CREATE TRIGGER campaigns_total_unbooked AFTER TRUNCATE ON {schema}.campaigns_spendrecord
FOR EACH STATEMENT EXECUTE FUNCTION {schema}.campaigns_total_unbooked();

-- Totals are booked for campaigns that their links lead to or have led to. Each of these is kept, so that a campaign's
-- totals are found without an index of the column that booking writes, which would rule out HOT updates.
CREATE FUNCTION {schema}.campaigns_link_kept() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO {schema}.campaigns_linkedcampaign (source, account, campaign, linked_campaign_id)
    SELECT account.source, account.external_id, NEW.external_id, NEW.campaign_id
    FROM {schema}.campaigns_platformaccount AS account WHERE account.id = NEW.account_id
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

-- An account whose key SQL changes has other totals from then on.
CREATE FUNCTION {schema}.campaigns_link_of_account_kept() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO {schema}.campaigns_linkedcampaign (source, account, campaign, linked_campaign_id)
    SELECT NEW.source, NEW.external_id, link.external_id, led_to.campaign_id
    FROM {schema}.campaigns_campaignlink AS link
    CROSS JOIN LATERAL (
        SELECT link.campaign_id WHERE link.campaign_id IS NOT NULL
        UNION
        -- guard: earlier-links-of-an-account-are-kept
        SELECT earlier.campaign_id FROM {schema}.campaigns_earlierlink AS earlier WHERE earlier.link_id = link.id
    ) AS led_to
    WHERE link.account_id = NEW.id
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

-- A campaign can be deleted once its records are gone; its totals become unassigned (1). An account's days are found
-- one after the other, and each total by its key: the account may have millions of others.
CREATE FUNCTION {schema}.campaigns_total_unassigned() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    linked record;
BEGIN
    FOR linked IN
        SELECT source, account, array_agg(DISTINCT campaign) AS campaigns
        FROM {schema}.campaigns_linkedcampaign WHERE linked_campaign_id IN (SELECT id FROM removed)
        GROUP BY source, account ORDER BY source, account
    LOOP
        WITH RECURSIVE days(day) AS (
            SELECT MIN(total.day) FROM {schema}.campaigns_spendtotal AS total
            WHERE total.source = linked.source AND total.account = linked.account
            UNION ALL
            SELECT (
                SELECT MIN(total.day) FROM {schema}.campaigns_spendtotal AS total
                WHERE total.source = linked.source AND total.account = linked.account AND total.day > days.day
            ) FROM days WHERE days.day IS NOT NULL
        )
        UPDATE {schema}.campaigns_spendtotal AS total
        -- guard: booked-of-a-deleted-campaign-is-0
        SET booked_campaign_id = NULL, booked = 0, waiting = 1,
            revision = CASE WHEN booked = 0 THEN revision ELSE revision + 1 END
        FROM days
        WHERE total.source = linked.source AND total.account = linked.account AND total.day = days.day
            AND total.campaign = ANY(linked.campaigns)
            AND total.booked_campaign_id IN (SELECT id FROM removed);
    END LOOP;
    -- guard: links-of-a-deleted-campaign-are-free
    UPDATE {schema}.campaigns_campaignlink SET campaign_id = NULL WHERE campaign_id IN (SELECT id FROM removed);
    -- guard: links-of-a-deleted-campaign-are-forgotten
    DELETE FROM {schema}.campaigns_linkedcampaign WHERE linked_campaign_id IN (SELECT id FROM removed);
    RETURN NULL;
END $$;

-- A later migration creates this table, and creates the triggers again then.
DO $$ BEGIN
IF to_regclass('{schema}.campaigns_linkedcampaign') IS NOT NULL THEN
CREATE TRIGGER campaigns_link_kept
AFTER INSERT OR UPDATE OF account_id, external_id, campaign_id ON {schema}.campaigns_campaignlink
FOR EACH ROW WHEN (NEW.campaign_id IS NOT NULL)
EXECUTE FUNCTION {schema}.campaigns_link_kept();

CREATE TRIGGER campaigns_link_of_account_kept
AFTER UPDATE OF source, external_id ON {schema}.campaigns_platformaccount
FOR EACH ROW WHEN ((NEW.source, NEW.external_id) IS DISTINCT FROM (OLD.source, OLD.external_id))
EXECUTE FUNCTION {schema}.campaigns_link_of_account_kept();

CREATE TRIGGER campaigns_total_unassigned AFTER DELETE ON {schema}.campaigns_campaign
REFERENCING OLD TABLE AS removed
FOR EACH STATEMENT EXECUTE FUNCTION {schema}.campaigns_total_unassigned();
END IF;
END $$;

CREATE FUNCTION {schema}.campaigns_account_without_brand() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE {schema}.campaigns_platformaccount SET brand_id = NULL WHERE brand_id IN (SELECT id FROM removed);
    RETURN NULL;
END $$;

CREATE TRIGGER campaigns_account_without_brand AFTER DELETE ON {schema}.campaigns_brand
REFERENCING OLD TABLE AS removed
FOR EACH STATEMENT EXECUTE FUNCTION {schema}.campaigns_account_without_brand();
