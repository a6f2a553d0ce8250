from campaigns.models.access import PasswordRequest
from campaigns.models.brand import Brand, BrandAssignment
from campaigns.models.campaign import Campaign
from campaigns.models.dayparting import DaypartingSchedule
from campaigns.models.history import CheckShard, Heartbeat, JobRun, JobZone, StatusChange
from campaigns.models.notes import Note
from campaigns.models.outgoing.webhooks import Delivery, DeliveryAttempt, Endpoint, EndpointBrand, OutboxMessage
from campaigns.models.pace import BrandPace, PaceError
from campaigns.models.periods import AccountingTimeZone, BrandPeriod
from campaigns.models.saved_filters import SavedFilter
from campaigns.models.setting_change import SettingChange
from campaigns.models.spend import CampaignDay, DueBrand, PendingSpend, SpendCorrection, SpendRecord
from campaigns.models.uploads import ImportDraft, ImportedRecords, SpendUpload, SpendUploadPart

__all__ = [
    "AccountingTimeZone",
    "Brand",
    "BrandAssignment",
    "BrandPace",
    "BrandPeriod",
    "Campaign",
    "CampaignDay",
    "CheckShard",
    "DaypartingSchedule",
    "Delivery",
    "DeliveryAttempt",
    "DueBrand",
    "Endpoint",
    "EndpointBrand",
    "Heartbeat",
    "ImportDraft",
    "ImportedRecords",
    "JobRun",
    "JobZone",
    "Note",
    "OutboxMessage",
    "PaceError",
    "PasswordRequest",
    "PendingSpend",
    "SavedFilter",
    "SettingChange",
    "SpendCorrection",
    "SpendRecord",
    "SpendUpload",
    "SpendUploadPart",
    "StatusChange",
]
