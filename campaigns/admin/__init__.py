"""The admin, one file a model. Pages call services; none of them decides anything."""

from campaigns.admin import accounts, beat, brand, campaign, failures, history, spend, statements, uploads

__all__ = ["accounts", "beat", "brand", "campaign", "failures", "history", "spend", "statements", "uploads"]
