from campaigns.models.access import PasswordRequest, PasswordToChange
from campaigns.models.brand import Brand, BrandAssignment
from campaigns.models.campaign import Campaign
from campaigns.models.dayparting import DaypartingSchedule
from campaigns.models.history import CheckShard, Heartbeat, JobRun, JobZone, StatusChange
from campaigns.models.notes import Note
from campaigns.models.outgoing.alert_emails import AlertEmail, AlertMessage, AlertPreference
from campaigns.models.outgoing.alerts import Alert, AlertRule, BrandOutlook, BrandQuiet
from campaigns.models.outgoing.applied import AppliedStatus, PlatformStatus
from campaigns.models.outgoing.feed import FeedBatch
from campaigns.models.outgoing.webhooks import Delivery, DeliveryAttempt, Endpoint, EndpointBrand, OutboxMessage
from campaigns.models.pace import BrandPace, PaceError
from campaigns.models.periods import AccountingTimeZone, BrandPeriod
from campaigns.models.platforms.accounts import CampaignLink, EarlierLink, LinkedCampaign, PlatformAccount
from campaigns.models.platforms.api_keys import ApiKey, ApiKeyBrand, ApiKeyRequests
from campaigns.models.platforms.counted_twice import CountedTwice
from campaigns.models.platforms.formats import FileFormat
from campaigns.models.platforms.report_imports import ReportImport, RestatedTotal
from campaigns.models.platforms.totals import DayToBook, SpendTotal, Waiting
from campaigns.models.saved_filters import SavedFilter
from campaigns.models.setting_change import SettingChange
from campaigns.models.spend import CampaignDay, DueBrand, PendingSpend, SpendCorrection, SpendRecord
from campaigns.models.uploads import ImportDraft, ImportedRecords, SpendUpload, SpendUploadPart

__all__ = [
    "AccountingTimeZone",
    "Alert",
    "AlertEmail",
    "AlertMessage",
    "AlertPreference",
    "AlertRule",
    "ApiKey",
    "ApiKeyBrand",
    "ApiKeyRequests",
    "AppliedStatus",
    "Brand",
    "BrandAssignment",
    "BrandOutlook",
    "BrandPace",
    "BrandPeriod",
    "BrandQuiet",
    "Campaign",
    "CampaignDay",
    "CampaignLink",
    "CheckShard",
    "CountedTwice",
    "DayToBook",
    "DaypartingSchedule",
    "Delivery",
    "DeliveryAttempt",
    "DueBrand",
    "EarlierLink",
    "Endpoint",
    "EndpointBrand",
    "FeedBatch",
    "FileFormat",
    "Heartbeat",
    "ImportDraft",
    "ImportedRecords",
    "JobRun",
    "JobZone",
    "LinkedCampaign",
    "Note",
    "OutboxMessage",
    "PaceError",
    "PasswordRequest",
    "PasswordToChange",
    "PendingSpend",
    "PlatformAccount",
    "PlatformStatus",
    "ReportImport",
    "RestatedTotal",
    "SavedFilter",
    "SettingChange",
    "SpendCorrection",
    "SpendRecord",
    "SpendTotal",
    "SpendUpload",
    "SpendUploadPart",
    "StatusChange",
    "Waiting",
]
