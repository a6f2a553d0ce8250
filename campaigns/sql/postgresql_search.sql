-- The names of brands and campaigns as they are searched, on PostgreSQL. {schema} is the schema that the tables live in.
-- They are in tables of their own: an index of trigrams on the campaigns themselves would get a new entry whenever a
-- check changes a status. Nobody writes them but these triggers, so names inserted by SQL are found too.

-- As campaigns.rules.search_text computes it; {folded} is filled in from there, by what this database can do.
CREATE FUNCTION {schema}.campaigns_search_text(name text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE WHEN name ~ '^[\x01-\x7f]*$' THEN lower(name) ELSE {folded} END
$$;

-- The pattern of LIKE for names that contain a word.
CREATE FUNCTION {schema}.campaigns_search_pattern(word text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT '%' || regexp_replace({schema}.campaigns_search_text(word), '([\\%_])', '\\\1', 'g') || '%'
$$;

CREATE TABLE {schema}.campaigns_brandsearch (
    id bigint PRIMARY KEY,
    text text COLLATE "C" NOT NULL
);
CREATE TABLE {schema}.campaigns_campaignsearch (
    id bigint PRIMARY KEY,
    brand_id bigint NOT NULL,
    text text COLLATE "C" NOT NULL
);

CREATE FUNCTION {schema}.campaigns_search_inserted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_TABLE_NAME = 'campaigns_brand' THEN
        INSERT INTO {schema}.campaigns_brandsearch (id, text)
        SELECT id, {schema}.campaigns_search_text(name) FROM added;
    ELSE
        INSERT INTO {schema}.campaigns_campaignsearch (id, brand_id, text)
        SELECT id, brand_id, {schema}.campaigns_search_text(name) FROM added;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION {schema}.campaigns_search_updated() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_TABLE_NAME = 'campaigns_brand' THEN
        UPDATE {schema}.campaigns_brandsearch SET id = NEW.id, text = {schema}.campaigns_search_text(NEW.name)
        WHERE id = OLD.id;
    ELSE
        UPDATE {schema}.campaigns_campaignsearch
        SET id = NEW.id, brand_id = NEW.brand_id, text = {schema}.campaigns_search_text(NEW.name)
        WHERE id = OLD.id;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION {schema}.campaigns_search_deleted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_TABLE_NAME = 'campaigns_brand' THEN
        DELETE FROM {schema}.campaigns_brandsearch WHERE id IN (SELECT id FROM removed);
    ELSE
        DELETE FROM {schema}.campaigns_campaignsearch WHERE id IN (SELECT id FROM removed);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION {schema}.campaigns_search_truncated() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_TABLE_NAME = 'campaigns_brand' THEN
        TRUNCATE {schema}.campaigns_brandsearch;
    ELSE
        TRUNCATE {schema}.campaigns_campaignsearch;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER campaigns_search_brand_inserted AFTER INSERT ON {schema}.campaigns_brand
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION {schema}.campaigns_search_inserted();

CREATE TRIGGER campaigns_search_campaign_inserted AFTER INSERT ON {schema}.campaigns_campaign
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION {schema}.campaigns_search_inserted();

-- A change of a status names none of these columns, so it pays nothing.
CREATE TRIGGER campaigns_search_brand_updated AFTER UPDATE OF id, name ON {schema}.campaigns_brand
FOR EACH ROW WHEN (OLD.id <> NEW.id OR OLD.name <> NEW.name)
EXECUTE FUNCTION {schema}.campaigns_search_updated();

CREATE TRIGGER campaigns_search_campaign_updated AFTER UPDATE OF id, brand_id, name ON {schema}.campaigns_campaign
FOR EACH ROW WHEN (OLD.id <> NEW.id OR OLD.brand_id <> NEW.brand_id OR OLD.name <> NEW.name)
EXECUTE FUNCTION {schema}.campaigns_search_updated();

CREATE TRIGGER campaigns_search_brand_deleted AFTER DELETE ON {schema}.campaigns_brand
REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION {schema}.campaigns_search_deleted();

CREATE TRIGGER campaigns_search_campaign_deleted AFTER DELETE ON {schema}.campaigns_campaign
REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION {schema}.campaigns_search_deleted();

CREATE TRIGGER campaigns_search_brand_truncated AFTER TRUNCATE ON {schema}.campaigns_brand
FOR EACH STATEMENT EXECUTE FUNCTION {schema}.campaigns_search_truncated();

CREATE TRIGGER campaigns_search_campaign_truncated AFTER TRUNCATE ON {schema}.campaigns_campaign
FOR EACH STATEMENT EXECUTE FUNCTION {schema}.campaigns_search_truncated();

-- The names that there are, then the indexes: it is faster than the other way round.
INSERT INTO {schema}.campaigns_brandsearch (id, text)
SELECT id, {schema}.campaigns_search_text(name) FROM {schema}.campaigns_brand;
INSERT INTO {schema}.campaigns_campaignsearch (id, brand_id, text)
SELECT id, brand_id, {schema}.campaigns_search_text(name) FROM {schema}.campaigns_campaign;
CREATE INDEX campaigns_brandsearch_text ON {schema}.campaigns_brandsearch (text);
CREATE INDEX campaigns_campaignsearch_text ON {schema}.campaigns_campaignsearch (text);
CREATE INDEX campaigns_campaignsearch_brand ON {schema}.campaigns_campaignsearch (brand_id);
