from campaigns.models.access import BrandAssignment
from campaigns.models.brand import Brand
from campaigns.models.campaign import Campaign
from campaigns.models.dayparting import DaypartingSchedule
from campaigns.models.drafts import ImportDraft
from campaigns.models.history import CheckShard, Heartbeat, JobRun, JobZone, StatusChange
from campaigns.models.periods import AccountingTimeZone, BrandPeriod
from campaigns.models.setting_change import SettingChange
from campaigns.models.spend import CampaignDay, DueBrand, PendingSpend, SpendRecord
from campaigns.models.uploads import SpendUpload, SpendUploadPart

__all__ = [
    "AccountingTimeZone",
    "Brand",
    "BrandAssignment",
    "BrandPeriod",
    "Campaign",
    "CampaignDay",
    "CheckShard",
    "DaypartingSchedule",
    "DueBrand",
    "Heartbeat",
    "ImportDraft",
    "JobRun",
    "JobZone",
    "PendingSpend",
    "SettingChange",
    "SpendRecord",
    "SpendUpload",
    "SpendUploadPart",
    "StatusChange",
]
