from campaigns.models.books import BookingZone, BrandPeriod
from campaigns.models.brand import Brand
from campaigns.models.campaign import Campaign
from campaigns.models.dayparting import DaypartingSchedule
from campaigns.models.history import Heartbeat, JobRun, StatusChange
from campaigns.models.spend import CampaignDay, PendingSpend, SpendRecord, TouchedBrand

__all__ = [
    "BookingZone",
    "Brand",
    "BrandPeriod",
    "Campaign",
    "CampaignDay",
    "DaypartingSchedule",
    "Heartbeat",
    "JobRun",
    "PendingSpend",
    "SpendRecord",
    "StatusChange",
    "TouchedBrand",
]
