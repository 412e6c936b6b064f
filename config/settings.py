"""One settings file. Every value of the environment is read, and checked, through config/env.py."""

import hashlib
import hmac
import logging
import sys
import warnings
from pathlib import Path
from urllib.parse import urlsplit

import django_stubs_ext
import structlog
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from config import env, metrics_folder
from config.master_keys import read_master_keys
from config.needs import Role

django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent

# --- Where and as what we run -------------------------------------------------------------------
PLAZA_ENV = env.choice(
    "PLAZA_ENV",
    "What this is: production refuses demo sign-ins and insecure settings.",
    options=("local", "test", "production"),
    default="local",
)
IS_PRODUCTION = PLAZA_ENV == "production"
DEBUG = env.flag("DEBUG", "Django's debug mode; refused in production.", default=False)
if IS_PRODUCTION and DEBUG:
    raise ImproperlyConfigured("DEBUG must be off in production.")
SECRET_KEY = env.secret("SECRET_KEY", "Signs sessions and seals stored answers.", least=32)
PLAZA_MASTER_KEYS = read_master_keys(
    text=env.secret(
        "PLAZA_MASTER_KEY",
        "Wraps the data keys that seal secrets: 32 bytes in base64, former keys after a comma.",
        default="",
    ),
    file=env.text(
        "PLAZA_MASTER_KEY_FILE",
        "File that holds the master keys instead, a line each, the present one first.",
        default="",
    ),
)
PLAZA_KMS = env.text(
    "PLAZA_KMS",
    "Class that wraps data keys instead, in a key management service: tenants.vault.aws_kms.AwsKms.",
    default="",
)
PLAZA_KMS_URL = env.url(
    "PLAZA_KMS_URL",
    "The service's address; unset: AWS's of the region.",
    schemes=("http", "https"),
    default="",
)
PLAZA_KMS_REGION = env.text("PLAZA_KMS_REGION", "The service's region.", default="us-east-1")
PLAZA_KMS_KEY = env.text("PLAZA_KMS_KEY", "Id or ARN of the master key in the service.", default="")
PLAZA_KMS_ACCESS_KEY_ID = env.text(
    "PLAZA_KMS_ACCESS_KEY_ID",
    "Our id at the service; it needs kms:Encrypt and kms:Decrypt.",
    default="",
)
PLAZA_KMS_SECRET_ACCESS_KEY = env.secret(
    "PLAZA_KMS_SECRET_ACCESS_KEY", "Our secret at the service.", default=""
)
if PLAZA_KMS and not (PLAZA_KMS_KEY and PLAZA_KMS_ACCESS_KEY_ID and PLAZA_KMS_SECRET_ACCESS_KEY):
    raise ImproperlyConfigured(
        "PLAZA_KMS needs PLAZA_KMS_KEY, PLAZA_KMS_ACCESS_KEY_ID and PLAZA_KMS_SECRET_ACCESS_KEY."
    )
if not (PLAZA_MASTER_KEYS or PLAZA_KMS):
    raise ImproperlyConfigured(
        "PLAZA_MASTER_KEY is not set, nor PLAZA_MASTER_KEY_FILE, nor PLAZA_KMS: secrets could be neither"
        " sealed nor opened. `make up` makes a key; elsewhere: openssl rand -base64 32."
    )
PLAZA_DOMAIN = env.text(
    "PLAZA_DOMAIN", "The square's host; tenants are its subdomains.", default="plaza.localhost"
).lower()
PLAZA_SUPPORT_URL = env.url(
    "PLAZA_SUPPORT_URL",
    "Where people get help, a page or a mailto:; pages and refusals name it.",
    schemes=("https", "http", "mailto"),
    default=f"mailto:support@{PLAZA_DOMAIN}",
)
PLAZA_PORT = env.number("PLAZA_PORT", "The web server's port.", default=8000, least=1, most=65535)
PLAZA_SCHEME = env.choice(
    "PLAZA_SCHEME",
    "What clients speak to us: https in production.",
    options=("http", "https"),
    default="https" if IS_PRODUCTION else "http",
)
PLAZA_HOME = Path(
    env.text(
        "PLAZA_HOME",
        "Folder of the embedded servers, logs and secrets.",
        default=BASE_DIR / ".plaza",
    )
)
PLAZA_REGION = env.text(
    "PLAZA_REGION",
    "Region in which this installation stores data, like eu; unset: regions are not told apart.",
    default="",
)
PLAZA_SPOOL = Path(
    env.text(
        "PLAZA_SPOOL",
        "Folder in which processes remember API calls and letters in hand until the database has them.",
        default=PLAZA_HOME / "spool",
    )
)
PLAZA_FILES = Path(
    env.text("PLAZA_FILES", "Folder of uploaded files.", default=PLAZA_HOME / "files")
)
PLAZA_IMPORT_SILENT_SECONDS = env.number(
    "PLAZA_IMPORT_SILENT_SECONDS",
    "Seconds without a sign of life after which an import's worker counts as dead.",
    default=60,
    least=10,
    most=3_600,
)
PLAZA_CLOSING_DAYS = env.number(
    "PLAZA_CLOSING_DAYS",
    "Days in which a closed tenant can be restored; it is erased after them.",
    default=30,
    most=3_650,
)
PLAZA_EXPORT_DAYS = env.number(
    "PLAZA_EXPORT_DAYS",
    "Days for which an export can be downloaded; it is deleted after them.",
    default=7,
    least=1,
    most=365,
)
INVOICE_RETENTION_YEARS = env.number(
    "INVOICE_RETENTION_YEARS",
    "Years for which invoices, the journal and certificates of erasure outlive their tenant.",
    default=10,
    most=100,
)
PLAZA_WEB_PLACES = env.number(
    "PLAZA_WEB_PLACES",
    "Requests at work at once in each web process; the others wait their turn, bulk work last.",
    default=8,
    least=1,
)
# Tests fold what they have counted themselves: a thread beside them would wait for their locks.
WEB_PROCESS_FLUSHES = True
PLAZA_EXPLAIN_DAYS = env.number(
    "PLAZA_EXPLAIN_DAYS", "Days for which it is told why a request was refused.", default=7, least=1
)
USAGE_RETENTION_DAYS = env.number(
    "USAGE_RETENTION_DAYS",
    "Days for which the usage ledger keeps events and their keys; totals stay.",
    default=400,
    least=90,
)
WEBHOOK_RETENTION_DAYS = env.number(
    "WEBHOOK_RETENTION_DAYS",
    "Days for which providers' webhooks, and their settled money and commands, are kept; that each came once is known for ever.",
    default=400,
    least=60,
)
PLAZA_TRUSTED_PROXIES = env.words(
    "PLAZA_TRUSTED_PROXIES", "Proxy addresses (comma-separated) whose X-Forwarded-For is believed."
)
PLAZA_DEMO_PASSWORD = env.secret(
    "PLAZA_DEMO_PASSWORD", "Password of the demo people; ignored in production.", default=""
)
PLAZA_DNS_SERVERS = env.words(
    "PLAZA_DNS_SERVERS",
    "Name servers (address or address:port, comma-separated) asked for proofs of domains; unset: the system's.",
)
PLAZA_WEBHOOKS_TO_LOOPBACK = env.flag(
    "PLAZA_WEBHOOKS_TO_LOOPBACK",
    "Whether tenants' webhooks may go to this machine, to try them out; refused in production.",
    default=False,
)
if IS_PRODUCTION and PLAZA_WEBHOOKS_TO_LOOPBACK:
    raise ImproperlyConfigured("PLAZA_WEBHOOKS_TO_LOOPBACK must be off in production.")
_default_port = {"http": 80, "https": 443}[PLAZA_SCHEME]
PLAZA_PORT_SUFFIX = "" if _default_port == PLAZA_PORT or IS_PRODUCTION else f":{PLAZA_PORT}"

# --- Apps: the square's tables are public, a stall's tables are the tenant's -------------------------
SHARED_APPS = [
    "django_tenants",
    "config",
    "tenants",
    "quotas",
    "billing",
    "apps.console",
    "apps.portal",
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_structlog",
    "django_prometheus",
    "django_htmx",
    "csp",
]
TENANT_APPS = ["tenants.trail", "apps.crm", "apps.campaigns", "apps.content"]
INSTALLED_APPS = SHARED_APPS + TENANT_APPS
TENANT_MODEL = "tenants.Tenant"
TENANT_DOMAIN_MODEL = "tenants.Domain"
AUTH_USER_MODEL = "tenants.Person"
AUTHENTICATION_BACKENDS = ["tenants.identity.demo.OperatorBackend"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

MIDDLEWARE = [
    "config.request_metrics.RequestMetricsMiddleware",
    "config.health.HealthMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.logs.RequestIdMiddleware",
    "config.logs.RequestLogMiddleware",
    # Before the tenant, so that a refused host is told in the asker's language too.
    "django.middleware.locale.LocaleMiddleware",
    "tenants.tls.CertificateMiddleware",
    "tenants.metrics.MetricsMiddleware",
    "tenants.middleware.TenantMiddleware",
    "django.middleware.common.CommonMiddleware",
    # Sessions, CSRF, sign-in, messages, headers and htmx, of which an API request needs the headers.
    "config.browsers.BrowserMiddleware",
    "tenants.identity.middleware.CallerMiddleware",
    "quotas.middleware.Gate",
    # The last: it runs the view itself, when everybody else has looked at it.
    "tenants.middleware.ReplicaMiddleware",
]
ROOT_URLCONF = "config.urls_tenant"
PUBLIC_SCHEMA_URLCONF = "config.urls_public"
API_URLCONF = "config.urls_api"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = False
# The host is matched against known domains in tenants/middleware.py, which refuses the others.
ALLOWED_HOSTS = ["*"]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "config" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "config.handlers.support",
            ],
        },
    }
]

# --- PostgreSQL --------------------------------------------------------------------------------------
_POSTGRES = ("postgres", "postgresql")
_DATABASE_URL = env.url(
    "DATABASE_URL",
    "PostgreSQL 15 or newer, as the web tier and the workers sign in (`plaza_web`).",
    schemes=_POSTGRES,
)
_DATABASE_SQUARE_URL = env.url(
    "DATABASE_SQUARE_URL",
    "The same database for identity, billing and operators (`plaza_square`); unset: by DATABASE_URL.",
    schemes=_POSTGRES,
    default="",
)
_DATABASE_OWNER_URL = env.url(
    "DATABASE_OWNER_URL",
    "The same database as its owner: only who migrates and provisions has it.",
    schemes=_POSTGRES,
    default="",
)
_REPLICA_DATABASE_URL = env.url(
    "REPLICA_DATABASE_URL",
    "A streaming replica for GETs that ask for it (X-Read-From); sign-ins are the primary's. Unset: none.",
    schemes=_POSTGRES,
    default="",
)
REPLICA_MOST_LAG_SECONDS = env.number(
    "REPLICA_MOST_LAG_SECONDS",
    "How far the replica may be behind; further behind, the primary answers.",
    default=5,
    least=1,
    most=3_600,
)
DATABASE_WEB = env.database("DATABASE_URL", _DATABASE_URL)
DATABASE_SQUARE = env.database("DATABASE_SQUARE_URL", _DATABASE_SQUARE_URL or _DATABASE_URL)
DATABASE_REPLICA = (
    env.database("REPLICA_DATABASE_URL", _REPLICA_DATABASE_URL) if _REPLICA_DATABASE_URL else None
)
# With DATABASE_URL alone one sign-in is everything, which `manage.py check --deploy` warns of.
_is_one_sign_in = not (_DATABASE_SQUARE_URL or _DATABASE_OWNER_URL)
DATABASE_OWNER = (
    env.database("DATABASE_OWNER_URL", _DATABASE_OWNER_URL or _DATABASE_URL)
    if _DATABASE_OWNER_URL or _is_one_sign_in
    else None
)
# Who cannot leaves new schemas to the provisioner's worker.
PLAZA_CAN_PROVISION = DATABASE_OWNER is not None
PLAZA_DB_LOGIN = env.choice(
    "PLAZA_DB_LOGIN",
    "How a connection becomes a tenant's: by taking its `role`, or by a sign-in of the `tenant`'s own.",
    options=("role", "tenant"),
    default="role",
)
PLAZA_DB_KEY = (
    env.secret(
        "PLAZA_DB_KEY",
        "Seals calls of the database's functions, and makes the tenants' sign-ins; from SECRET_KEY if unset.",
        default="",
        least=32,
    )
    or hmac.new(SECRET_KEY.encode(), b"plaza.database", hashlib.sha256).hexdigest()
)
PLAZA_CITUS = env.flag(
    "PLAZA_CITUS",
    "Whether tenants' schemas are spread over nodes by Citus (deploy/citus.md).",
    default=False,
)
PLAZA_STATEMENT_TIMEOUT_MS = env.number(
    "PLAZA_STATEMENT_TIMEOUT_MS",
    "How long a tenant's statement may take, where its plan says nothing; 0 is no limit.",
    default=30_000,
)
PLAZA_READY_SCHEMAS = env.number(
    "PLAZA_READY_SCHEMAS",
    "Empty schemas kept ready for sign-ups; 0 makes each one in the request.",
    default=10,
    most=1_000,
)
DATABASES = {
    "default": {
        "ENGINE": "tenants.engine",
        **DATABASE_WEB,
        # Our own pool keeps connections, each with its tenant (tenants/engine/pool.py).
        "CONN_MAX_AGE": 0,
        "POOL_SIZE": env.number(
            "PLAZA_DB_CONNECTIONS", "Of each process: its threads and two.", default=18, least=1
        ),
        # Behind a transaction pooler, for which sign-ins of the tenants' own are, no cursor outlives
        # its statement.
        "DISABLE_SERVER_SIDE_CURSORS": PLAZA_DB_LOGIN == "tenant",
        "OPTIONS": {"connect_timeout": 5, "application_name": "plaza"},
    }
}
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]

# --- Redis or Valkey -----------------------------------------------------------------------------------
REDIS_URL = env.url(
    "REDIS_URL", "Redis 7 or Valkey 8: counters and the task queue.", schemes=("redis", "rediss")
)
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "plaza",
        "KEY_FUNCTION": "config.cache.make_key",
        # Only the limits of sign-in and the like count here, and they fail closed: the pause of a
        # busy machine must not become a 503. The gate's own client waits 50 ms (quotas/counters.py).
        "OPTIONS": {
            "socket_timeout": 0.5,
            "socket_connect_timeout": 0.5,
            "serializer": "config.cache.OwnedValues",
        },
    }
}
PLAZA_REDIS_TIMEOUT_MS = env.number(
    "PLAZA_REDIS_TIMEOUT_MS",
    "How long a request waits for Redis before it is decided without.",
    default=50,
    least=1,
    most=5_000,
)
RATELIMIT_USE_CACHE = "default"
SILENCED_SYSTEM_CHECKS = [
    # django-ratelimit knows django-redis and memcached by name; its own counts were tried on this
    # backend: 400 calls in 16 threads let exactly 100 of 100 through.
    "django_ratelimit.W001",
    # Sessions, sign-in, messages, CSRF and X-Frame-Options are there, inside of config.browsers,
    # where these checks do not look; tests/config/test_browsers.py does.
    *("admin.E408", "admin.E409", "admin.E410", "security.W002", "security.W003"),
]

# --- Payment providers -----------------------------------------------------------------------------------
STRIPE_API_KEY = env.secret(
    "STRIPE_API_KEY", "Stripe's secret key; unset means the stand-in.", default=""
)
STRIPE_API_BASE = env.url(
    "STRIPE_API_BASE",
    "Stripe's address, when not the real one.",
    schemes=("http", "https"),
    default="",
)
STRIPE_WEBHOOK_SECRET = env.secret(
    "STRIPE_WEBHOOK_SECRET", "Signs Stripe's webhooks (whsec_…).", default=""
)
PAYPAL_CLIENT_ID = env.text(
    "PAYPAL_CLIENT_ID", "PayPal's client id; unset means the stand-in.", default=""
)
PAYPAL_CLIENT_SECRET = env.secret("PAYPAL_CLIENT_SECRET", "PayPal's client secret.", default="")
PAYPAL_API_BASE = env.url(
    "PAYPAL_API_BASE",
    "PayPal's address, when not the real one.",
    schemes=("http", "https"),
    default="",
)
PAYPAL_WEBHOOK_ID = env.text("PAYPAL_WEBHOOK_ID", "The id under which PayPal signs.", default="")

ISSUERS_FILE = env.text(
    "ISSUERS_FILE",
    "File of who issues invoices, like billing/books/issuers.toml; production refuses that one's figures.",
    default="",
)
FISCAL_DESK = env.text(
    "FISCAL_DESK",
    "Class that has fiscal documents stamped (billing/providers/fiscal.py); unset: nobody does.",
    default="",
)

for _name, _base in (("STRIPE_API_BASE", STRIPE_API_BASE), ("PAYPAL_API_BASE", PAYPAL_API_BASE)):
    if IS_PRODUCTION and urlsplit(_base).hostname in {"127.0.0.1", "localhost", "::1"}:
        raise ImproperlyConfigured(
            f"{_name} is an address of this machine: a stand-in is no cashier in production."
        )

# --- People ------------------------------------------------------------------------------------------------
TOKEN_SIGNING_KEY = env.secret(
    "TOKEN_SIGNING_KEY",
    r"ES256 private key (PEM, `\n` for line ends allowed) that signs access tokens.",
    least=100,
).replace("\\n", "\n")
TOKEN_OTHER_KEYS = env.secret(
    "TOKEN_OTHER_KEYS",
    "Further keys (PEM, one after another) whose access tokens are accepted: the next one, the former one.",
    default="",
).replace("\\n", "\n")
ACCESS_TOKEN_SECONDS = env.number(
    "ACCESS_TOKEN_SECONDS", "Life of an access token.", default=900, least=60, most=86_400
)
REFRESH_TOKEN_DAYS = env.number(
    "REFRESH_TOKEN_DAYS", "Life of a refresh token.", default=30, least=1, most=365
)
OPENID_ISSUER = env.url(
    "OPENID_ISSUER",
    "OpenID Connect provider of the platform; unset hides the button.",
    schemes=("http", "https"),
    default="",
)
OPENID_CLIENT_ID = env.text("OPENID_CLIENT_ID", "Our client id at that provider.", default="")
OPENID_CLIENT_SECRET = env.secret(
    "OPENID_CLIENT_SECRET", "Our client secret at that provider.", default=""
)
PASSWORD_HASHES_AT_ONCE = env.number(
    "PASSWORD_HASHES_AT_ONCE",
    "Passwords that each process hashes at once; a few more wait, the rest are told to come again.",
    default=1,
    least=1,
    most=64,
)
PASSWORD_HASHERS = ["tenants.identity.sparing.SparingArgon2"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "/login"
# Of operators who opened the console's sign-in itself.
LOGIN_REDIRECT_URL = "/console/"
_is_https = PLAZA_SCHEME == "https"
SESSION_ENGINE = "config.sessions"
# Not in a cookie of their own: the session is one tenant's.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
# `__Host-` forbids a Domain attribute, so that no subdomain can set or read another's cookie.
SESSION_COOKIE_NAME = "__Host-plaza" if _is_https else "plaza"
CSRF_COOKIE_NAME = "__Host-plaza-csrf" if _is_https else "plaza-csrf"
CSRF_FAILURE_VIEW = "config.handlers.csrf_failed"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _is_https
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = _is_https
SECURE_SSL_REDIRECT = _is_https and IS_PRODUCTION
# What our own machines ask of a process by its address, where no TLS is.
SECURE_REDIRECT_EXEMPT = [
    r"^livez$",
    r"^readyz$",
    r"^metrics$",
    r"^metrics/platform$",
    r"^tls/ask$",
]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PLAZA_TRUSTED_PROXIES else None
SECURE_HSTS_SECONDS = 31_536_000 if _is_https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _is_https
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF, "'unsafe-inline'"],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}

# --- The API ------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["tenants.identity.authentication.CallerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["config.permissions.IsDeclared"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["config.parsers.JSONBody"],
    "DEFAULT_PAGINATION_CLASS": "config.pages.CursorPage",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "config.openapi.PlazaSchema",
    "EXCEPTION_HANDLER": "config.api.exception_handler",
    "UNAUTHENTICATED_USER": None,
    # Accept alone says the format: `?format=` is as unknown as any other name.
    "URL_FORMAT_OVERRIDE": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Plaza",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    # Fields of one name with different choices: what clients' generators call each set.
    "ENUM_NAME_OVERRIDES": {
        # All meters; those that may be reported to are fewer.
        "Meter": "quotas.serializers.METER_CHOICES",
        "CampaignStatus": "apps.campaigns.models.Campaign.Status",
        "CampaignType": "apps.campaigns.models.Campaign.Type",
        "ConsentChannel": "apps.crm.models.Consent.Channel",
        "ConsentStatus": "apps.crm.models.Consent.Status",
        "ExportStatus": "tenants.models.Archive.Status",
        "ContentChannel": "apps.content.models.Channel",
        "ContentKind": "apps.content.models.Kind",
        "CreditReason": "billing.models.CreditMovement.Reason",
        "InvoiceKind": "billing.models.Invoice.Kind",
        "InvoiceStatus": "billing.models.Invoice.Status",
        "ImportStatus": "apps.crm.models.Import.Status",
        "SegmentKind": "apps.crm.models.Segment.Kind",
        "StageKind": "apps.crm.models.Stage.Kind",
        "PrivacyLaw": "apps.crm.models.PrivacyRequest.Law",
        "PrivacyRequestKind": "apps.crm.models.PrivacyRequest.Kind",
        "PrivacyRequestStatus": "apps.crm.models.PrivacyRequest.Status",
        "ReviewStatus": "apps.content.models.ReviewStatus",
        "Role": [(role.value, role.value) for role in Role],
        "SubscriptionStatus": "billing.models.Subscription.Status",
        "TenantStatus": "tenants.models.Tenant.Status",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "config.openapi.describe_reference",
        "billing.catalogue.reference.describe_plans",
    ],
}
FILE_UPLOAD_HANDLERS = [
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "config.files.TenantUploadHandler",
]
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
PLAZA_UPLOAD_LIMIT_BYTES = env.number(
    "PLAZA_UPLOAD_LIMIT_BYTES", "Largest file that an import takes.", default=256 * 1024 * 1024
)

# --- Tasks ------------------------------------------------------------------------------------------------
CELERY_BROKER_URL = env.url(
    "CELERY_BROKER_URL",
    "The task queue, when not REDIS_URL.",
    schemes=("redis", "rediss", "amqp", "amqps"),
    default=REDIS_URL,
)

# --- Mail ------------------------------------------------------------------------------------------------
_mail = urlsplit(
    env.url(
        "EMAIL_URL",
        "smtp://user:password@host:port",
        schemes=("smtp", "smtps"),
        default="smtp://127.0.0.1:25",
    )
)
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST = _mail.hostname or "127.0.0.1"
EMAIL_PORT = _mail.port or 25
EMAIL_HOST_USER = _mail.username or ""
EMAIL_HOST_PASSWORD = _mail.password or ""
EMAIL_USE_TLS = _mail.scheme == "smtps"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = f"Plaza <no-reply@{PLAZA_DOMAIN}>"

# --- Languages, time, files -------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("es", "Español")]
LOCALE_PATHS = [BASE_DIR / "config" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
FORMAT_MODULE_PATH = ["config.formats"]
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
# `make up` needs no collectstatic: the files are found where they lie. Images collect them.
WHITENOISE_USE_FINDERS = not STATIC_ROOT.exists()
warnings.filterwarnings("ignore", message="No directory at", category=UserWarning)
STORAGES = {
    "default": {
        "BACKEND": "config.files.TenantFiles",
        "OPTIONS": {
            "location": PLAZA_FILES,
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    },
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}

# --- Logs -------------------------------------------------------------------------------------------------
LOG_LEVEL = env.choice(
    "LOG_LEVEL",
    "Least level that is logged.",
    options=("DEBUG", "INFO", "WARNING", "ERROR"),
    default="INFO",
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": structlog.stdlib.ProcessorFormatter,
            "foreign_pre_chain": "ext://config.logs.SHARED_PROCESSORS",
            "processors": "ext://config.logs.FINAL_PROCESSORS",
        }
    },
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "stream": sys.stderr, "formatter": "json"}
    },
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        # A refused host and a client's 4xx are one line of the request log, not two.
        "django.request": {"level": "ERROR"},
        "django.security.DisallowedHost": {"level": "CRITICAL"},
    },
}
DJANGO_STRUCTLOG_USER_ID_FIELD = None
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = logging.DEBUG
# Logs hold no personal data; an address is one.
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
# RequestIdMiddleware has checked or made the id; without this the log would carry another.
DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID = True

# --- Metrics ------------------------------------------------------------------------------------------
# prometheus_client reads the variable itself, when it is imported: after this.
PROMETHEUS_MULTIPROC_DIR = env.text(
    "PROMETHEUS_MULTIPROC_DIR",
    "Folder in which a container's processes count together for /metrics; unset: each tells its own.",
    default="",
)
if PROMETHEUS_MULTIPROC_DIR:
    metrics_folder.prepare(Path(PROMETHEUS_MULTIPROC_DIR))
PLAZA_METRICS_PORT = env.number(
    "PLAZA_METRICS_PORT", "Port at which a worker serves /metrics; 0: none.", default=0, most=65535
)
PLAZA_METRICS_TENANTS = env.number(
    "PLAZA_METRICS_TENANTS",
    "How many tenants each process counts by their id; the others together.",
    default=500,
    most=10_000,
)
# django-prometheus would ask the database at each start; `fleet status` tells instead.
PROMETHEUS_EXPORT_MIGRATIONS = False

# --- The operators' console -----------------------------------------------------------------------------
UNFOLD = {
    "SITE_TITLE": "Plaza console",
    "SITE_HEADER": "Plaza",
    "SITE_SUBHEADER": "apps.console.sidebar.subtitle",
    "SITE_SYMBOL": "storefront",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": f"{STATIC_URL}portal/favicon.svg"}
    ],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_LANGUAGES": True,
    "BORDER_RADIUS": "8px",
    # The portal's teal, so that both are one house.
    "COLORS": {
        "primary": {
            "50": "#eefaf7",
            "100": "#dff0ec",
            "200": "#b6e0d8",
            "300": "#82dacc",
            "400": "#55c5b4",
            "500": "#1f9c8b",
            "600": "#0b6a5f",
            "700": "#084f47",
            "800": "#073f39",
            "900": "#05332e",
            "950": "#05211d",
        }
    },
    "SIDEBAR": {"show_search": False, "navigation": "apps.console.sidebar.navigation"},
}
