"""All settings, from environment variables; .env.example explains each one."""

import os
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import django_stubs_ext
from csp import constants as csp
from django.core.management.utils import get_random_secret_key
from django.templatetags.static import static
from dotenv import load_dotenv
from kombu import Exchange, Queue

from budget_manager import environment, mail, monitoring, simulation, zone_data
from budget_manager.formats.en import formats
from budget_manager.launcher import logs
from budget_manager.observe import json_log, sentry
from budget_manager.observe.release import release

# First, because Python caches each zone when it is first used.
ZONE_DATA = zone_data.use_newest()

django_stubs_ext.monkeypatch()  # or ModelAdmin[Campaign] fails at run time

BASE_DIR = Path(__file__).resolve().parent.parent
TESTING = sys.argv[1:2] == ["test"]
# Tests and mypy must work on a fresh clone, and not depend on a local .env.
UNCONFIGURED = TESTING or "mypy_django_plugin.main" in sys.modules

if not UNCONFIGURED:
    load_dotenv(BASE_DIR / ".env")  # the real environment wins

DATABASE: dict[str, Any] = environment.database(BASE_DIR)
SIMULATION = simulation.is_throw_away(DATABASE["NAME"])

DEBUG = environment.flag("DEBUG", default=False)
SECRET_KEY = get_random_secret_key() if UNCONFIGURED or SIMULATION else environment.secret_key(debug=DEBUG)
SECRET_KEY_FALLBACKS = [] if UNCONFIGURED or SIMULATION else environment.secret_key_fallbacks(debug=DEBUG)
LIVE = not (DEBUG or TESTING)
# Whether all machines use the database's clock (campaigns.database.clock). Tests and simulations set their own time.
DATABASE_CLOCK = not (TESTING or SIMULATION)

ALLOWED_HOSTS = environment.hosts("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = environment.origins("CSRF_TRUSTED_ORIGINS")
SECURE_SSL_REDIRECT = environment.flag("SECURE_SSL_REDIRECT", default=LIVE)
BEHIND_PROXY = environment.flag("TRUST_PROXY_HEADER", default=False)
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if LIVE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = LIVE
SECURE_HSTS_PRELOAD = LIVE
SESSION_COOKIE_SECURE = LIVE
CSRF_COOKIE_SECURE = LIVE
SESSION_COOKIE_AGE = 12 * 60 * 60  # a working day, counted from the sign-in: a forgotten browser is signed out by night

# What our pages may load, run and be framed by, also in development: nothing from other hosts, and no inline
# scripts. unfold makes two exceptions necessary: Alpine.js evaluates the expressions of its attributes
# (its build that doesn't isn't in unfold), and unfold, htmx and Alpine write <style> elements and style attributes.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [csp.NONE],
        "script-src": [csp.SELF, csp.UNSAFE_EVAL],
        "style-src": [csp.SELF, csp.UNSAFE_INLINE],
        "img-src": [csp.SELF],
        "font-src": [csp.SELF],
        "connect-src": [csp.SELF],
        "form-action": [csp.SELF],
        "base-uri": [csp.NONE],
        "object-src": [csp.NONE],
        "frame-ancestors": [csp.NONE],
    }
}

INSTALLED_APPS = [
    "unfold",  # before the admin, whose templates it replaces
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_celery_beat",
    "axes",
    "csp",
    "campaigns.apps.CampaignsConfig",
]

MIDDLEWARE = [
    "budget_manager.health.HealthMiddleware",  # first: probes know neither HTTPS nor ALLOWED_HOSTS
    "budget_manager.metrics.MetricsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "campaigns.admin.people.first_password.OwnPasswordMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "budget_manager.busy.BusyMiddleware",
    "axes.middleware.AxesMiddleware",  # last: it replaces the answer to a sign-in that is locked
]

ROOT_URLCONF = "budget_manager.urls"
WSGI_APPLICATION = "budget_manager.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "budget_manager" / "templates"],  # before the theme's
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {"default": DATABASE}
TEST_RUNNER = "campaigns.tests.support.runner.Runner"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
if DATABASE["ENGINE"] == "django.db.backends.sqlite3":
    synchronous = "OFF" if TESTING or SIMULATION else "NORMAL"
    DATABASE["OPTIONS"] = {
        # On Django's defaults two writers at once end in "database is locked": a transaction that begins by
        # reading can't wait for its turn to write.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": f"PRAGMA journal_mode=WAL; PRAGMA synchronous={synchronous};",
    }
    if TESTING:
        # A file, because tests use threads and processes; its own directory, because two runs may overlap.
        test_files = tempfile.TemporaryDirectory(prefix="budget-manager-test-", ignore_cleanup_errors=True)
        DATABASE["TEST"] = {"NAME": str(Path(test_files.name) / "test.sqlite3")}
else:
    DATABASE["CONN_MAX_AGE"] = 60
    DATABASE["CONN_HEALTH_CHECKS"] = True
    DATABASE["DISABLE_SERVER_SIDE_CURSORS"] = True  # a pooler in transaction mode would lose them
    DATABASE["OPTIONS"] = {
        "connect_timeout": 10,
        # Or worker, beat and web would wait a quarter of an hour, or two, for a server that vanished in a failover.
        "tcp_user_timeout": 30_000,  # milliseconds
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "application_name": "budget_manager",
        # Sent with each BEGIN, overriding the server's default: see campaigns.database.session_settings.
        "isolation_level": 2,  # psycopg.IsolationLevel.READ_COMMITTED
        **DATABASE.get("OPTIONS", {}),
    }

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
# A user name is locked for one address only: failures elsewhere don't lock a user out, nor do one user's failures lock
# out others at the same address. Further attempts don't prolong the lock.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "budget_manager.sign_in.client_address"
AXES_USERNAME_CALLABLE = "budget_manager.sign_in.name_tried"
AXES_CLIENT_STR_CALLABLE = "budget_manager.sign_in.in_the_log"
AXES_LOCKOUT_CALLABLE = "budget_manager.sign_in.locked_out"
AXES_DISABLE_ACCESS_LOG = True  # a user's row has the last sign-in
AXES_ENABLE_ADMIN = False  # campaigns.admin.people.groups has our theme
AXES_VERBOSE = False

LANGUAGE_CODE = "en-us"
FORMAT_MODULE_PATH = "budget_manager.formats"
# Used by unfold's filters, which ignore the formats of the language.
DATE_INPUT_FORMATS = formats.DATE_INPUT_FORMATS
DATETIME_INPUT_FORMATS = formats.DATETIME_INPUT_FORMATS
TIME_INPUT_FORMATS = formats.TIME_INPUT_FORMATS
TIME_ZONE = environment.time_zone()
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
# Without collectstatic there is no manifest: then files keep their names, and pages work without caching.
MANIFEST = LIVE and ("collectstatic" in sys.argv or (STATIC_ROOT / "staticfiles.json").exists())
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if MANIFEST
        else "django.contrib.staticfiles.storage.StaticFilesStorage",
    },
}
WHITENOISE_MANIFEST_STRICT = False
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = not LIVE

LOG_LEVEL = environment.log_level("ERROR" if TESTING else "INFO")
LOG_FORMAT = environment.log_format()
LAUNCHED = "LAUNCHED" in os.environ  # by `make run`, whose log is for people
LOGGING = logs.logging_settings(LOG_LEVEL, short=LAUNCHED, json=LOG_FORMAT == "json")
if LOG_FORMAT == "json":
    json_log.log_uncaught_errors()


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Budget manager",
    "SITE_HEADER": "Budget manager",
    "SITE_SYMBOL": "account_balance_wallet",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("campaigns/favicon.svg")}
    ],
    "STYLES": [
        lambda request: static("campaigns/admin.css"),
        lambda request: static("campaigns/phone.css"),
        lambda request: static("campaigns/palette.css"),
    ],
    "SCRIPTS": [
        lambda request: static("campaigns/times.js"),
        lambda request: static("campaigns/accessible.js"),
        lambda request: static("campaigns/currency.js"),
        lambda request: static("campaigns/refresh.js"),
        lambda request: static("campaigns/unsaved.js"),
        lambda request: static("campaigns/controls.js"),
        lambda request: static("campaigns/filters.js"),
        lambda request: static("campaigns/palette.js"),
    ],
    "SIDEBAR": {"navigation": "campaigns.admin.shared.navigation.navigation"},
    "GLOBAL_CALLBACK": "campaigns.admin.shared.banner.banner",
    "DASHBOARD_CALLBACK": "campaigns.admin.home.dashboard.dashboard",
}

# Who may read /metrics.
METRICS_TOKEN = monitoring.metrics_token()
METRICS_ALLOW = monitoring.metrics_allow()

SENTRY_DSN = "" if UNCONFIGURED or SIMULATION else monitoring.sentry_dsn()
if SENTRY_DSN:
    sentry.start(SENTRY_DSN, environment=monitoring.sentry_environment(debug=DEBUG), release=release())

# Called after each successful full check.
HEARTBEAT_URL = "" if UNCONFIGURED or SIMULATION else monitoring.heartbeat_url()

# Invitations and forgotten passwords. In tests Django collects what is sent.
MAIL_SERVER = None if UNCONFIGURED or SIMULATION else mail.server(ALLOWED_HOSTS)
EMAIL_IS_SET_UP = MAIL_SERVER is not None
if MAIL_SERVER:
    EMAIL_HOST, EMAIL_PORT = MAIL_SERVER.host, MAIL_SERVER.port
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = MAIL_SERVER.user, MAIL_SERVER.password
    EMAIL_USE_TLS, EMAIL_USE_SSL = MAIL_SERVER.starttls, MAIL_SERVER.tls
    DEFAULT_FROM_EMAIL = SERVER_EMAIL = MAIL_SERVER.sender
EMAIL_TIMEOUT = mail.TIMEOUT

# The address of the site, for links in e-mails that no request asks for.
SITE_URL = mail.site_url(ALLOWED_HOSTS, debug=DEBUG)

# Recipients of `manage.py watch`.
WATCH_EMAIL = [] if UNCONFIGURED or SIMULATION else monitoring.watch_email(email_is_set_up=EMAIL_IS_SET_UP)
WATCH_WEBHOOK_URL = "" if UNCONFIGURED or SIMULATION else monitoring.watch_webhook_url()
WATCH_WEBHOOK_FORM = "plain" if UNCONFIGURED or SIMULATION else monitoring.watch_webhook_form()

PASSWORD_RESET_TIMEOUT = 24 * 60 * 60

# Networks whose private addresses webhooks may go to, also by http://. Public addresses need https://.
WEBHOOK_PRIVATE_NETWORKS = environment.networks("WEBHOOK_PRIVATE_NETWORKS")

LOGIN_REDIRECT_URL = "admin:index"  # the theme's sign-in page loses where its visitor came from

REDIS_URL = environment.redis_url()

# Number of parts of a full check, for several workers; worth it above about 100,000 campaigns.
CHECK_SHARDS = environment.number("CHECK_SHARDS", 1, least=1, most=64)

# Decreases that platforms report for a finished day are held until a person releases them if the sum of the account's
# totals of the day falls below this percentage of what is booked, and by more than this amount in its currency.
HELD_BELOW_PERCENT = environment.number("HELD_BELOW_PERCENT", 80, least=0, most=100)
HELD_ABOVE_AMOUNT = environment.number("HELD_ABOVE_AMOUNT", 100, least=0, most=1_000_000)

# The largest file of spend that staff may upload; a worker imports it.
SPEND_UPLOAD_MEGABYTES = environment.number("SPEND_UPLOAD_MEGABYTES", 200, least=1, most=10_000)

# Minutes after which a pause that a connector hasn't acknowledged is drift (R18).
DRIFT_MINUTES = environment.number("DRIFT_MINUTES", 5, least=1, most=1_440)

# Requests of one key of the HTTP API; each has up to 10,000 rows.
API_REQUESTS_PER_MINUTE = environment.number("API_REQUESTS_PER_MINUTE", 600, least=1, most=1_000_000)
# Threads of a web process for the API, beside those of gunicorn's --threads for everything else.
API_THREADS = 2
# Bytes of a batch as it arrives, maybe compressed.
API_MAX_BODY = 5 * 1024**2

FILE_UPLOAD_HANDLERS = [
    "budget_manager.limits.uploads.LimitedUpload",  # first: what is too large never reaches the disk
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
# A schedule of as many windows as there may be, each on all days, beside as many that it takes the place of.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 15_000

CELERY_BROKER_URL = environment.broker_url(REDIS_URL)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a broker that comes back after hours finds its worker waiting
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # Without these a publish to a peer that vanished waits for ever.
    "socket_timeout": 30,
    "socket_connect_timeout": 10,
    "socket_keepalive": True,
    # A task that isn't acknowledged by then is given to another worker: longer than any time limit.
    "visibility_timeout": 60 * 60,
}
# JSON only: pickle would let everyone who can write to the broker run code.
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
# The state is in the database, and no task's result is read.
CELERY_TASK_IGNORE_RESULT = True
# A killed worker's task runs again; every task may run twice.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# Below the five minutes between two checks. In seconds.
CELERY_TASK_SOFT_TIME_LIMIT = 240
CELERY_TASK_TIME_LIMIT = 270
# Not kombu's "celery": another application on the same broker would take our tasks and drop them.
CELERY_TASK_DEFAULT_QUEUE = "budget_manager"
# What waits for other servers. A worker without --queues serves both. In the Procfile this one has a worker of its own.
DELIVERY_QUEUE = "budget_manager_deliveries"
_QUEUES = (CELERY_TASK_DEFAULT_QUEUE, DELIVERY_QUEUE)
# Each with its own key: two queues with the default one would both get every message.
CELERY_TASK_QUEUES = [Queue(name, Exchange(name), routing_key=name) for name in _QUEUES]
CELERY_TASK_ROUTES = {
    name: {"queue": DELIVERY_QUEUE} for name in ("campaigns.tasks.deliver", "campaigns.tasks.send_alerts")
}
CELERY_TIMEZONE = TIME_ZONE
CELERY_ENABLE_UTC = True
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
