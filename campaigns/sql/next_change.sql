-- The minute at which a window, a date or a midnight can next change each campaign's reasons. Goes on from decide.sql.
-- Only tomorrow's beginning is known to the minute: clocks may change until a later day, and the minute may come too
-- early, never too late. {never} is a minute that doesn't come.
next_change AS MATERIALIZED (
    SELECT campaign_id, reasons_after AS reasons,
        -- In an unknown time zone there is no tomorrow.
        COALESCE({least}(
            -- A window opens or closes, or the zone's clocks change.
            CASE WHEN next_boundary IS NOT NULL
                -- guard: next-boundary
                THEN {least}(next_boundary, tomorrow, COALESCE(next_dst_change, {never})) ELSE {never} END,
            -- guard: next-start
            CASE WHEN starts_on > today THEN {starts} ELSE {never} END,
            -- guard: next-end
            CASE WHEN ends_on >= today THEN {ends} ELSE {never} END,
            -- A limit is lifted with the end of its period.
            -- guard: next-day
            CASE WHEN (reasons_after & {limits_of_day}) <> 0 THEN tomorrow ELSE {never} END,
            -- guard: next-month
            CASE WHEN (reasons_after & {limits_of_month}) <> 0 THEN month_until ELSE {never} END
        ), {never}) AS minute
    FROM decision
)
