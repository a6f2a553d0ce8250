-- The reasons that hold for each campaign of the scope, beside those that are stored. Goes on from current_spend.sql.
-- {reasons} has rules R1, R2 and R7. What an earlier run did is read only where the time zone is unknown (R6).
decision {hint} (
    SELECT campaign.*,
        -- In an unknown time zone there is no today: a switch still pauses, and nothing resumes (R6).
        -- guard: unknown-time-zone
        CASE WHEN today IS NULL THEN reasons_before | ({switches}) ELSE {reasons} END AS reasons_after
    FROM campaign
),
-- guard: only-differences
differences AS (SELECT * FROM decision WHERE reasons_after <> reasons_before)
