from campaigns.models.access import GivenBrand
from campaigns.models.books import BookingZone, BrandPeriod
from campaigns.models.brand import Brand
from campaigns.models.campaign import Campaign
from campaigns.models.dayparting import DaypartingSchedule
from campaigns.models.drafts import ImportDraft
from campaigns.models.history import CheckShard, Heartbeat, JobRun, JobZone, StatusChange
from campaigns.models.spend import CampaignDay, PendingSpend, SpendRecord, TouchedBrand
from campaigns.models.uploads import SpendUpload, SpendUploadPart

__all__ = [
    "BookingZone",
    "Brand",
    "BrandPeriod",
    "Campaign",
    "CampaignDay",
    "CheckShard",
    "DaypartingSchedule",
    "GivenBrand",
    "Heartbeat",
    "ImportDraft",
    "JobRun",
    "JobZone",
    "PendingSpend",
    "SpendRecord",
    "SpendUpload",
    "SpendUploadPart",
    "StatusChange",
    "TouchedBrand",
]
