-- What brands and campaigns have spent today and this month: folded and pending, without what is dated ahead (R3, R4).
-- Decisions, lists and pages go on from here with a SELECT of their own over brand and campaign.
-- All amounts are whole millionths. Constants for the first and last day and month let the database skip older periods.
WITH
-- The wall clock of each known time zone at the instant that the statement is about.
clock {clock_hint} ({clocks}),
-- What isn't folded yet, by brand and {pending_campaign}.
pending {pending_hint} (
    SELECT p.brand_id, {pending_campaign} AS campaign_id,
        {pending_today},
        {pending_this_month}
    FROM campaigns_pendingspend p
    JOIN campaigns_brand b ON b.id = p.brand_id
    JOIN clock ON clock.zone = b.timezone
    WHERE {pending_in_scope}
    GROUP BY p.brand_id, {pending_campaign}
),
brand_pending AS (
    SELECT brand_id, {sum_today}, {sum_this_month}
    FROM pending
    GROUP BY brand_id
),
-- What is folded for days of the month that are still to come: it counts when its day comes.
ahead AS (
    SELECT p.brand_id, CAST(SUM(p.spend) AS bigint) AS amount
    FROM campaigns_brandperiod p
    JOIN campaigns_brand b ON b.id = p.brand_id
    JOIN clock ON clock.zone = b.timezone
    WHERE p.kind = 'day' AND p.starts_on > %(first_day)s
        -- guard: dated-ahead
        AND p.starts_on > clock.today AND p.starts_on < clock.next_month
        AND {ahead_in_scope}
    GROUP BY p.brand_id
),
-- Each brand with its clock, budgets and spend; in an unknown time zone without a clock.
brand {hint} (
    SELECT b.id, b.name, b.currency, b.timezone, b.enabled, clock.*,
        CAST(ROUND(b.daily_budget * 1000000) AS bigint) AS daily_budget,
        CAST(ROUND(b.monthly_budget * 1000000) AS bigint) AS monthly_budget,
        -- guard: brand-spend-today
        COALESCE(brand_day.spend, 0) + COALESCE({brand_today}, 0) AS day_spend,
        -- guard: brand-spend-this-month
        COALESCE(brand_month.spend, 0) - COALESCE(ahead.amount, 0) + COALESCE({brand_this_month}, 0) AS month_spend
    FROM campaigns_brand b
    LEFT JOIN clock ON clock.zone = b.timezone
    LEFT JOIN campaigns_brandperiod brand_day
        -- guard: day-of-the-brand
        ON brand_day.brand_id = b.id AND brand_day.kind = 'day' AND brand_day.starts_on = clock.today
        AND brand_day.starts_on BETWEEN %(first_day)s AND %(last_day)s
    LEFT JOIN campaigns_brandperiod brand_month
        -- guard: month-of-the-brand
        ON brand_month.brand_id = b.id AND brand_month.kind = 'month' AND brand_month.starts_on = clock.this_month
        AND brand_month.starts_on BETWEEN %(first_month)s AND %(last_month)s
    LEFT JOIN brand_pending ON brand_pending.brand_id = b.id
    LEFT JOIN ahead ON ahead.brand_id = b.id
    WHERE {brand_in_scope}
),
-- Each campaign's facts with its brand's, and what it has spent today. Where several windows are joined, it comes several
-- times.
campaign {campaign_hint} (
    SELECT c.id AS campaign_id, c.name AS campaign, c.brand_id, b.name AS brand, c.pause_reasons AS reasons_before,
        c.enabled AS campaign_enabled, b.enabled AS brand_enabled, c.starts_on, c.ends_on, b.today,
        b.tomorrow, b.month_until, b.next_dst_change, c.next_change_minute,
        {next_boundary} AS next_boundary, {is_open} AS is_open,
        CAST(ROUND(c.daily_spend_limit * 1000000) AS bigint) AS campaign_limit,
        b.daily_budget AS brand_daily_budget,
        b.monthly_budget AS brand_monthly_budget,
        -- guard: campaign-spend-today
        COALESCE(own_day.spend, 0) + COALESCE({campaign_today}, 0) AS campaign_spend,
        b.day_spend AS brand_day_spend,
        b.month_spend AS brand_month_spend
    FROM campaigns_campaign c
    JOIN brand b ON b.id = c.brand_id
    -- guard: day-of-the-campaign
    LEFT JOIN campaigns_campaignday own_day ON own_day.campaign_id = c.id AND own_day.day = b.today
        AND own_day.day BETWEEN %(first_day)s AND %(last_day)s
    LEFT JOIN pending ON pending.campaign_id = c.id AND pending.brand_id = c.brand_id{window_joins}
    -- guard: campaigns-in-scope
    WHERE {campaign_in_scope}
)
