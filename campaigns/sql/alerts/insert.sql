-- Another check may have recorded the same alert meanwhile. What goes into digests needs no messages of its own.
INSERT INTO campaigns_alert (rule_id, kind, subject, period, threshold, budget, brand_id, campaign_id, is_bad, headline,
    meaning, figures, opened_at, is_routed, posted, acknowledged_who, note)
SELECT rule.id, rule.kind, given.subject, given.period, given.threshold, given.budget, given.brand_id,
    given.campaign_id, given.is_bad, given.headline, given.meaning, given.figures, %(now)s,
    rule.delivery = 'digest', 0, '', ''
FROM ({rows}) AS given
JOIN campaigns_alertrule AS rule ON rule.id = given.rule_id
WHERE TRUE
ON CONFLICT (rule_id, subject, period, threshold, budget) DO NOTHING
