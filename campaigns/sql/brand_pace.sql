-- The projection and the pace of each brand of current_spend.sql, by its stored profile. Goes on from its `brand`; the
-- clock has the calendar of campaigns.models.pace_queries, whose days are numbered from 1970-01-01, a Thursday.
-- All amounts are whole millionths. A number n has (n + 9) / 7 Mondays before it (and a constant), (n + 8) / 7 Tuesdays, …
,
-- The profile, with no day above the daily budget, which holds from now on. Materialized here and below: the columns are
-- named many times, and PostgreSQL would put each expression in each place, and compile a statement of megabytes.
profile AS MATERIALIZED (
    SELECT brand.*, p.days, p.volatility, p.range_low, p.range_high, p.reached_days,
        CASE WHEN brand.daily_budget < p.monday THEN brand.daily_budget ELSE p.monday END AS monday,
        CASE WHEN brand.daily_budget < p.tuesday THEN brand.daily_budget ELSE p.tuesday END AS tuesday,
        CASE WHEN brand.daily_budget < p.wednesday THEN brand.daily_budget ELSE p.wednesday END AS wednesday,
        CASE WHEN brand.daily_budget < p.thursday THEN brand.daily_budget ELSE p.thursday END AS thursday,
        CASE WHEN brand.daily_budget < p.friday THEN brand.daily_budget ELSE p.friday END AS friday,
        CASE WHEN brand.daily_budget < p.saturday THEN brand.daily_budget ELSE p.saturday END AS saturday,
        CASE WHEN brand.daily_budget < p.sunday THEN brand.daily_budget ELSE p.sunday END AS sunday,
        -- The month counts from the brand's first day.
        CASE WHEN p.first_day > brand.this_month THEN brand.month_number + {days_before_the_first}
            ELSE brand.month_number END AS first_number,
        -- Minutes of today in which a campaign may run: up to now, and in all. Right after midnight, until the profile
        -- is refreshed, all minutes count.
        CASE WHEN p.day = brand.today THEN CAST(substr(p.open_minutes, brand.hour * 4 + 1, 4) AS integer)
            + (CAST(substr(p.open_minutes, brand.hour * 4 + 5, 4) AS integer)
                - CAST(substr(p.open_minutes, brand.hour * 4 + 1, 4) AS integer)) * brand.minute / 60
            ELSE brand.hour * 60 + brand.minute END AS opened,
        CASE WHEN p.day = brand.today THEN CAST(substr(p.open_minutes, 97, 4) AS integer) ELSE 1440 END AS open_in_all,
        CASE WHEN {month_reached} THEN 1 ELSE 0 END AS month_reached
    FROM brand
    LEFT JOIN campaigns_brandpace p ON p.brand_id = brand.id AND p.days >= {days_for_projection}
),
-- What the profile expects of the finished days of the month, of today, and of the days after today.
by_profile AS (
    SELECT profile.*,
        monday * ((today_number + 9) / 7 - (first_number + 9) / 7)
        + tuesday * ((today_number + 8) / 7 - (first_number + 8) / 7)
        + wednesday * ((today_number + 7) / 7 - (first_number + 7) / 7)
        + thursday * ((today_number + 6) / 7 - (first_number + 6) / 7)
        + friday * ((today_number + 5) / 7 - (first_number + 5) / 7)
        + saturday * ((today_number + 4) / 7 - (first_number + 4) / 7)
        + sunday * ((today_number + 3) / 7 - (first_number + 3) / 7) AS of_finished_days,
        CASE weekday WHEN 0 THEN monday WHEN 1 THEN tuesday WHEN 2 THEN wednesday WHEN 3 THEN thursday
            WHEN 4 THEN friday WHEN 5 THEN saturday ELSE sunday END AS of_today,
        monday * ((next_month_number + 9) / 7 - (today_number + 10) / 7)
        + tuesday * ((next_month_number + 8) / 7 - (today_number + 9) / 7)
        + wednesday * ((next_month_number + 7) / 7 - (today_number + 8) / 7)
        + thursday * ((next_month_number + 6) / 7 - (today_number + 7) / 7)
        + friday * ((next_month_number + 5) / 7 - (today_number + 6) / 7)
        + saturday * ((next_month_number + 4) / 7 - (today_number + 5) / 7)
        + sunday * ((next_month_number + 3) / 7 - (today_number + 4) / 7) AS of_days_left
    FROM profile
),
-- Of today, what is expected up to now.
up_to_now AS (
    SELECT by_profile.*,
        -- Divided first, which is exact in 64 bits.
        CASE WHEN open_in_all = 0 THEN of_today
            ELSE of_today / open_in_all * opened + of_today %% open_in_all * opened / open_in_all END AS of_today_so_far
    FROM by_profile
),
-- A daily budget that often runs out is spent faster than evenly: its rest counts at a multiple of the even rate.
by_hours_left AS (
    SELECT up_to_now.*,
        (of_today - of_today_so_far) * CASE WHEN reached_days >= {often_reached} AND daily_budget > 0
            AND of_today >= daily_budget THEN {haste_if_often_reached} ELSE 1 END AS in_hours_left
    FROM up_to_now
),
-- The rest of today, which the daily budget limits. Nothing more is expected of a brand that is paused, or has reached
-- its monthly budget.
rest_of_today AS MATERIALIZED (
    SELECT by_hours_left.*,
        CASE
            WHEN of_today IS NULL THEN NULL
            WHEN NOT enabled OR month_reached = 1 OR day_spend >= daily_budget THEN 0
            WHEN daily_budget - day_spend < in_hours_left THEN daily_budget - day_spend
            ELSE in_hours_left
        END AS today_left,
        CASE WHEN NOT enabled OR month_reached = 1 THEN 0 ELSE of_days_left END AS days_left,
        -- What the daily budget allows until the end of the month; no limit without one.
        CASE WHEN day_spend < daily_budget THEN daily_budget - day_spend ELSE daily_budget * 0 END
            + daily_budget * (next_month_number - today_number - 1) AS most_left
    FROM by_hours_left
),
-- The upper end of the range, and of the one that the verdict allows for: without one, young brands would be called over-
-- or under-pacing at random.
upper_ends AS (
    SELECT rest_of_today.*,
        today_left + days_left + (today_left + days_left) / 1000 * range_high AS high_left,
        today_left + days_left
            + (today_left + days_left) / 1000 * COALESCE(range_high, {error_without_range}) AS likely_high_left
    FROM rest_of_today
),
projection AS (
    SELECT upper_ends.*,
        month_spend + today_left + days_left AS projected,
        month_spend + today_left + days_left + (today_left + days_left) / 1000 * range_low AS projected_low,
        month_spend + CASE WHEN most_left < high_left THEN most_left ELSE high_left END AS projected_high,
        month_spend + today_left + days_left
            - (today_left + days_left) / 1000 * COALESCE(-range_low, {error_without_range}) AS likely_low,
        month_spend + CASE WHEN most_left < likely_high_left THEN most_left ELSE likely_high_left END AS likely_high,
        -- How far what is projected may be from the budget, in thousandths, narrowing to the end of the month.
        {tolerance_at_the_end} + {tolerance_of_a_month} * (next_month_number - today_number - 1)
            / (next_month_number - month_number) AS tolerance
    FROM upper_ends
),
-- What is spent, against the part of the budget that the profile expects to be spent by now; where the projection leads.
paced AS (
    SELECT projection.*,
        projected - monthly_budget AS over_or_under,
        CASE WHEN monthly_budget > 0 THEN month_spend * 100 / CAST(monthly_budget AS double precision) END
            AS percent_used,
        CASE WHEN monthly_budget > 0 THEN CAST(projected AS double precision) * 100 / monthly_budget END
            AS projected_percent,
        -- Of the month's spend, by now: where the spend of a brand on pace is in percent of its budget.
        CASE WHEN of_finished_days + of_today + of_days_left > 0 THEN
            CAST(of_finished_days + of_today_so_far AS double precision) * 100
            / (of_finished_days + of_today + of_days_left)
        END AS expected_percent,
        CASE WHEN monthly_budget > 0 AND of_finished_days + of_today_so_far > 0 THEN
            CAST(month_spend AS double precision) / monthly_budget
            * (of_finished_days + of_today + of_days_left) / (of_finished_days + of_today_so_far)
        END AS pace,
        CASE
            WHEN today IS NULL OR NOT enabled OR COALESCE(monthly_budget, 0) = 0 OR month_reached = 1 THEN NULL
            WHEN projected IS NULL THEN 'early'
            -- A budget within the likely range is neither.
            WHEN projected - monthly_budget > monthly_budget / 1000 * tolerance
                AND likely_low > monthly_budget THEN 'over'
            WHEN monthly_budget - projected > monthly_budget / 1000 * tolerance
                AND likely_high < monthly_budget THEN 'under'
            ELSE 'on'
        END AS verdict
    FROM projection
)
