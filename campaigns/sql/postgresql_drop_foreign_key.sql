ALTER TABLE {schema}.campaigns_spendrecord DROP CONSTRAINT IF EXISTS spend_brand_is_the_campaigns_brand;
