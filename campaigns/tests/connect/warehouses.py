"""What pipelines leave in a PostgreSQL database, with the tables and columns that the templates in docs/connect read.

Each has one account, a row of spend for each segment of a campaign's day, and the campaigns' names.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

Run = Callable[..., Any]

ACCOUNT = "1234567890"


class Warehouse:
    """The tables of one pipeline. Segments are the devices, hours or ads by which its rows are divided."""

    template: str
    schema: str
    source: str
    tables: str
    segments: tuple[Any, ...]
    # What the template takes the account's facts from, if not from a table.
    has_accounts = True

    def __init__(self, run: Run) -> None:
        self.run = run
        run(f"CREATE SCHEMA {self.schema}")
        run(f"SET search_path = {self.schema}")
        for table in self.tables.split(";"):
            run(table)
        run("SET search_path = public")

    def account(self, *, name: str, currency: str, zone: str, at: datetime) -> None:
        raise NotImplementedError

    def campaign(self, campaign: int, name: str, at: datetime) -> None:
        raise NotImplementedError

    def spend(self, campaign: int, day: date, segment: Any, amount: Decimal, at: datetime) -> None:
        """Let a sync bring a row, or write it anew."""
        raise NotImplementedError

    def vanish(self, campaign: int, day: date) -> None:
        """Let a sync remove the rows of a campaign's day."""
        raise NotImplementedError

    def insert(self, table: str, *values: Any) -> None:
        places = ", ".join(["%s"] * len(values))
        self.run(f"INSERT INTO {self.schema}.{table} VALUES ({places})", *values)

    def delete(self, table: str, condition: str, *values: Any) -> None:
        self.run(f"DELETE FROM {self.schema}.{table} WHERE {condition}", *values)


class FivetranGoogle(Warehouse):
    template = "fivetran_google_ads.sql"
    schema = "google_ads"
    source = "google_ads"
    segments = ("MOBILE", "DESKTOP")
    tables = """
        CREATE TABLE campaign_stats (
            customer_id bigint, id bigint, date date, device text, ad_network_type text, cost_micros bigint,
            clicks bigint, _fivetran_synced timestamptz
        );
        CREATE TABLE account_history (
            id bigint, updated_at timestamptz, descriptive_name text, currency_code text, time_zone text,
            manager boolean
        );
        CREATE TABLE campaign_history (id bigint, updated_at timestamptz, customer_id bigint, name text)"""

    def account(self, *, name: str, currency: str, zone: str, at: datetime) -> None:
        self.insert("account_history", int(ACCOUNT), at, name, currency, zone, False)
        self.insert("account_history", 999, at, "Manager", currency, zone, True)

    def campaign(self, campaign: int, name: str, at: datetime) -> None:
        self.insert("campaign_history", campaign, at, int(ACCOUNT), name)

    def spend(self, campaign: int, day: date, segment: Any, amount: Decimal, at: datetime) -> None:
        self.delete("campaign_stats", "id = %s AND date = %s AND device = %s", campaign, day, segment)
        micros = int(amount * 1_000_000)
        self.insert("campaign_stats", int(ACCOUNT), campaign, day, segment, "SEARCH", micros, 3, at)

    def vanish(self, campaign: int, day: date) -> None:
        self.delete("campaign_stats", "id = %s AND date = %s", campaign, day)


class FivetranMeta(Warehouse):
    template = "fivetran_meta_ads.sql"
    schema = "facebook_ads"
    source = "meta_ads"
    segments = (1, 2)
    tables = """
        CREATE TABLE basic_ad (
            ad_id text, date date, account_id bigint, impressions bigint, spend double precision,
            _fivetran_synced timestamptz
        );
        CREATE TABLE ad_history (id bigint, updated_time timestamptz, account_id bigint, campaign_id bigint);
        CREATE TABLE account_history (
            id bigint, _fivetran_synced timestamptz, name text, currency text, timezone_name text
        );
        CREATE TABLE campaign_history (id bigint, updated_time timestamptz, account_id bigint, name text)"""

    def account(self, *, name: str, currency: str, zone: str, at: datetime) -> None:
        self.insert("account_history", int(ACCOUNT), at, name, currency, zone)

    def campaign(self, campaign: int, name: str, at: datetime) -> None:
        self.insert("campaign_history", campaign, at, int(ACCOUNT), name)
        for segment in self.segments:
            self.insert("ad_history", self.ad(campaign, segment), at, int(ACCOUNT), campaign)

    def ad(self, campaign: int, segment: Any) -> int:
        return campaign * 10 + int(segment)

    def spend(self, campaign: int, day: date, segment: Any, amount: Decimal, at: datetime) -> None:
        ad = str(self.ad(campaign, segment))
        self.delete("basic_ad", "ad_id = %s AND date = %s", ad, day)
        self.insert("basic_ad", ad, day, int(ACCOUNT), 100, float(amount), at)

    def vanish(self, campaign: int, day: date) -> None:
        ads = [str(self.ad(campaign, segment)) for segment in self.segments]
        self.delete("basic_ad", "ad_id = ANY(%s) AND date = %s", ads, day)


class FivetranMicrosoft(Warehouse):
    template = "fivetran_microsoft_ads.sql"
    schema = "bingads"
    source = "microsoft_ads"
    segments = ("Smartphone", "Computer")
    tables = """
        CREATE TABLE campaign_performance_daily_report (
            date date, account_id bigint, campaign_id bigint, currency_code text, device_type text,
            spend double precision, _fivetran_synced timestamptz
        );
        CREATE TABLE account_history (
            id bigint, last_modified_time timestamptz, name text, currency_code text, time_zone text
        );
        CREATE TABLE campaign_history (id bigint, modified_time timestamptz, account_id bigint, name text)"""
    zones = {"America/New_York": "EasternTimeUSCanada", "Asia/Tokyo": "OsakaSapporoTokyo"}
    currency = ""

    def account(self, *, name: str, currency: str, zone: str, at: datetime) -> None:
        self.currency = currency
        self.insert("account_history", int(ACCOUNT), at, name, currency, self.zones.get(zone, "SomewhereElse"))

    def campaign(self, campaign: int, name: str, at: datetime) -> None:
        self.insert("campaign_history", campaign, at, int(ACCOUNT), name)

    def spend(self, campaign: int, day: date, segment: Any, amount: Decimal, at: datetime) -> None:
        table = "campaign_performance_daily_report"
        self.delete(table, "campaign_id = %s AND date = %s AND device_type = %s", campaign, day, segment)
        self.insert(table, day, int(ACCOUNT), campaign, self.currency, segment, float(amount), at)

    def vanish(self, campaign: int, day: date) -> None:
        self.delete("campaign_performance_daily_report", "campaign_id = %s AND date = %s", campaign, day)


class AirbyteGoogle(Warehouse):
    """Rows by hour, appended by each sync."""

    template = "airbyte_google_ads.sql"
    schema = "google_ads"
    source = "google_ads"
    segments: tuple[Any, ...] = (9, 10)
    tables = """
        CREATE TABLE campaign (
            _airbyte_extracted_at timestamptz, "customer.id" bigint, "campaign.id" bigint, "campaign.name" text,
            "segments.date" date, "segments.hour" bigint, "segments.ad_network_type" text, "metrics.cost_micros" bigint
        );
        CREATE TABLE customer (
            _airbyte_extracted_at timestamptz, "customer.id" bigint, "customer.descriptive_name" text,
            "customer.currency_code" text, "customer.time_zone" text, "customer.manager" boolean
        )"""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.names: dict[int, str] = {}

    def account(self, *, name: str, currency: str, zone: str, at: datetime) -> None:
        self.insert("customer", at, int(ACCOUNT), name, currency, zone, False)

    def campaign(self, campaign: int, name: str, at: datetime) -> None:
        self.names[campaign] = name

    def spend(self, campaign: int, day: date, segment: Any, amount: Decimal, at: datetime) -> None:
        micros = int(amount * 1_000_000)
        self.insert("campaign", at, int(ACCOUNT), campaign, self.names[campaign], day, segment, "SEARCH", micros)

    def vanish(self, campaign: int, day: date) -> None:
        self.delete("campaign", '"campaign.id" = %s AND "segments.date" = %s', campaign, day)


class OldAirbyteGoogle(AirbyteGoogle):
    """An older version of the connector, without hours: segments are networks."""

    segments = ("SEARCH", "CONTENT")
    tables = AirbyteGoogle.tables.replace('"segments.hour" bigint, ', "")

    def spend(self, campaign: int, day: date, segment: Any, amount: Decimal, at: datetime) -> None:
        micros = int(amount * 1_000_000)
        self.insert("campaign", at, int(ACCOUNT), campaign, self.names[campaign], day, segment, micros)


class AirbyteMeta(Warehouse):
    template = "airbyte_meta_ads.sql"
    schema = "facebook_marketing"
    source = "meta_ads"
    segments = (1, 2)
    tables = """
        CREATE TABLE ads_insights (
            _airbyte_extracted_at timestamptz, date_start date, account_id text, campaign_id text, campaign_name text,
            ad_id text, spend numeric
        );
        CREATE TABLE ad_account (
            _airbyte_extracted_at timestamptz, account_id text, name text, currency text, timezone_name text
        )"""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.names: dict[int, str] = {}

    def account(self, *, name: str, currency: str, zone: str, at: datetime) -> None:
        self.insert("ad_account", at, ACCOUNT, name, currency, zone)

    def campaign(self, campaign: int, name: str, at: datetime) -> None:
        self.names[campaign] = name

    def spend(self, campaign: int, day: date, segment: Any, amount: Decimal, at: datetime) -> None:
        ad = f"{campaign}{segment}"
        self.insert("ads_insights", at, day, ACCOUNT, str(campaign), self.names[campaign], ad, amount)

    def vanish(self, campaign: int, day: date) -> None:
        self.delete("ads_insights", "campaign_id = %s AND date_start = %s", str(campaign), day)


class DltMeta(Warehouse):
    """Loads with an id; the account is written into the template."""

    template = "dlt_meta_ads.sql"
    schema = "facebook_ads"
    source = "meta_ads"
    segments = (1, 2)
    has_accounts = False
    tables = """
        CREATE TABLE facebook_insights (
            campaign_id text, ad_id text, date_start timestamptz, spend double precision, _dlt_load_id text
        );
        CREATE TABLE campaigns (id text, name text);
        CREATE TABLE _dlt_loads (load_id text, status bigint, inserted_at timestamptz)"""

    def account(self, *, name: str, currency: str, zone: str, at: datetime) -> None:
        pass

    def campaign(self, campaign: int, name: str, at: datetime) -> None:
        self.delete("campaigns", "id = %s", str(campaign))
        self.insert("campaigns", str(campaign), name)

    def spend(self, campaign: int, day: date, segment: Any, amount: Decimal, at: datetime) -> None:
        load = str(at.timestamp())
        self.delete("_dlt_loads", "load_id = %s", load)
        self.insert("_dlt_loads", load, 0, at)
        ad = f"{campaign}{segment}"
        self.delete("facebook_insights", "ad_id = %s AND date_start::date = %s", ad, day)
        self.insert("facebook_insights", str(campaign), ad, f"{day}T00:00:00+00", float(amount), load)

    def vanish(self, campaign: int, day: date) -> None:
        self.delete("facebook_insights", "campaign_id = %s AND date_start::date = %s", str(campaign), day)


WAREHOUSES: tuple[type[Warehouse], ...] = (
    FivetranGoogle,
    FivetranMeta,
    FivetranMicrosoft,
    AirbyteGoogle,
    OldAirbyteGoogle,
    AirbyteMeta,
    DltMeta,
)
