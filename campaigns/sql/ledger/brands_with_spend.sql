-- Brands that have spend or final statements.
SELECT brand.id
FROM campaigns_brand AS brand
WHERE {in_scope} AND (
    EXISTS (
        SELECT 1 FROM campaigns_brandperiod AS period
        WHERE period.brand_id = brand.id AND (period.closed_at IS NOT NULL OR period.spend <> 0)
    ) OR EXISTS (
        SELECT 1 FROM campaigns_campaign AS campaign
        WHERE campaign.brand_id = brand.id AND (
            -- The order and the limit let a planner look one record up by the index of each campaign: it could read
            -- all of the ledger for the first record of a campaign that has none.
            SELECT record.id FROM campaigns_spendrecord AS record
            WHERE record.campaign_id = campaign.id ORDER BY record.external_id LIMIT 1
        ) IS NOT NULL
    )
)
