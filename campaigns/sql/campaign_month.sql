-- What each campaign has spent this month, beside its spend of today: folded and pending, without what is dated ahead (R3).
-- Continues current_spend.sql. The days are a list, and each is looked up in the index of days.
,
days_of_month AS (
    SELECT d.campaign_id, CAST(SUM(d.spend) AS bigint) AS spend
    FROM campaigns_campaignday d
    JOIN campaigns_campaign c ON c.id = d.campaign_id
    JOIN brand b ON b.id = c.brand_id
    WHERE {days_in_scope}
        AND d.day >= b.this_month AND d.day <= b.today
    GROUP BY d.campaign_id
),
campaign_month AS (
    SELECT campaign.*,
        COALESCE(days_of_month.spend, 0) + COALESCE({pending_this_month}, 0) AS campaign_month_spend
    FROM campaign
    LEFT JOIN days_of_month ON days_of_month.campaign_id = campaign.campaign_id
    LEFT JOIN pending ON pending.campaign_id = campaign.campaign_id AND pending.brand_id = campaign.brand_id
)
