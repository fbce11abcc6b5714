"""Every setting, in one file. The environment decides; see README.md for the operator's list."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from deploy.state import state_folder
from marketing import environment

BASE_DIR = Path(__file__).resolve().parent.parent

# Mode. `production` is what an unset variable means: nobody serves patients by accident with the
# sample's generated keys, its readable mailbox or its one-time sign-in link.
ATTUNE_MODE = environment.one_of(
    "ATTUNE_MODE", "production", allowed=("production", "sample", "test")
)
PRODUCTION = ATTUNE_MODE == "production"
SAMPLE = ATTUNE_MODE == "sample"
DEBUG = False

# Where this machine keeps what must not be lost: embedded services, generated keys, the mailbox.
ATTUNE_HOME = state_folder()
ATTUNE_MAILBOX = ATTUNE_HOME / "mailbox" / "mail"
"""The sample's mailbox, which deploy.mailbox_store.MailboxStore reads."""
ATTUNE_PHONES = ATTUNE_HOME / "phones"
"""The sample's phones, which deploy.phone_store.PhoneStore reads."""

# Keys
ATTUNE_ROOT_KEY = environment.text("ATTUNE_ROOT_KEY")
ATTUNE_ROOT_KEY_FILE = environment.text("ATTUNE_ROOT_KEY_FILE")
ATTUNE_ROOT_KEY_PROVIDER = environment.text("ATTUNE_ROOT_KEY_PROVIDER")
"""A class of one's own that wraps keys elsewhere, as a dotted path; see crypto/root.py."""
ATTUNE_ANCHOR_DIR = Path(environment.text("ATTUNE_ANCHOR_DIR") or ATTUNE_HOME / "anchor")
ATTUNE_ANCHOR = environment.text("ATTUNE_ANCHOR")
"""A class of one's own that keeps checkpoints elsewhere, as a dotted path; see audit/anchor.py."""
SECRET_KEY = environment.secret("SECRET_KEY")
ALLOWED_HOSTS = environment.words("ALLOWED_HOSTS")
ATTUNE_PUBLIC_ORIGIN = environment.text("ATTUNE_PUBLIC_ORIGIN")
"""Scheme and host that patients reach, e.g. https://mail.clinic.example; every link begins so."""

if PRODUCTION:
    why = "production needs it (for the sample clinic set ATTUNE_MODE=sample, or type make run)"
    environment.required("SECRET_KEY", SECRET_KEY, why=why)
    environment.required("ALLOWED_HOSTS", ",".join(ALLOWED_HOSTS), why=why)
    if any(host.startswith("*") for host in ALLOWED_HOSTS):
        raise ImproperlyConfigured("ALLOWED_HOSTS: name each host; a link bears what it says")
    environment.required("DATABASE_URL", environment.text("DATABASE_URL"), why=why)
    environment.required("BROKER_URL", environment.text("BROKER_URL"), why=why)
    root_key = ATTUNE_ROOT_KEY or ATTUNE_ROOT_KEY_FILE or ATTUNE_ROOT_KEY_PROVIDER
    environment.required("ATTUNE_ROOT_KEY", root_key, why=why)
    environment.required("ATTUNE_PUBLIC_ORIGIN", ATTUNE_PUBLIC_ORIGIN, why=why)
    if not ATTUNE_PUBLIC_ORIGIN.startswith("https://"):
        raise ImproperlyConfigured("ATTUNE_PUBLIC_ORIGIN must begin with https://")
else:
    # Sessions of the sample survive a restart because make run passes its own kept SECRET_KEY.
    SECRET_KEY = SECRET_KEY or "not-a-secret-because-sample-and-test-hold-no-patient"
    ALLOWED_HOSTS = ALLOWED_HOSTS or ["localhost", "127.0.0.1", "testserver"]
    ATTUNE_PUBLIC_ORIGIN = ATTUNE_PUBLIC_ORIGIN or "http://localhost:8000"

# Database. `default` is the application's role, which row security binds; `owner` owns the tables
# and serves migrations and maintenance only.
_SOCKET = ATTUNE_HOME / "postgres" / "data"
DATABASES: dict[str, dict[str, Any]] = {
    "default": environment.database(
        "DATABASE_URL", f"postgresql://attune_app@/attune?host={_SOCKET}", tls=PRODUCTION
    ),
    "owner": environment.database(
        "DATABASE_OWNER_URL", f"postgresql://postgres@/attune?host={_SOCKET}", tls=PRODUCTION
    ),
}
for _alias in DATABASES.values():
    _alias |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True, "TEST": {"MIGRATE": True}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Broker: ids and nudges only.
BROKER_URL = environment.broker(
    "BROKER_URL", f"redis+socket://{ATTUNE_HOME / 'broker' / 'valkey.sock'}", tls=PRODUCTION
)
WAKES_FOLLOWERS = ATTUNE_MODE != "test"
"""Whether a change sends a message that has it followed at once; a tick finds it anyway."""

INSTALLED_APPS = [
    "crypto.apps.CryptoConfig",
    "audit.apps.AuditConfig",
    "accounts.apps.AccountsConfig",
    "contacts.apps.ContactsConfig",
    "consent.apps.ConsentConfig",
    "messaging.apps.MessagingConfig",
    "workflows.apps.WorkflowsConfig",
    "marketing.apps.MarketingConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "django_otp",
    "rest_framework",
    "drf_spectacular",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "marketing.security_headers.SecurityHeaders",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "accounts.middleware.StaffDoor",
    "marketing.plain_forms.PlainForms",
]
ROOT_URLCONF = "marketing.urls"
WSGI_APPLICATION = "marketing.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
                "marketing.web.shell.shell",
            ],
            "builtins": ["marketing.templatetags.components"],
        },
    }
]

# Cookies, transport
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = PRODUCTION
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = PRODUCTION
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# The prefix ties a cookie to this host and to HTTPS; a browser refuses it anywhere else.
CSRF_COOKIE_NAME = "__Host-csrf" if PRODUCTION else "csrf"
CSRF_FAILURE_VIEW = "marketing.web.errors.stale_form"
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"

# Staff
AUTH_USER_MODEL = "accounts.User"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]

# Uploads hold patients: they stay in memory
FILE_UPLOAD_HANDLERS = ["marketing.intake.arriving.SealedUpload"]

# Words and time
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True

# Files that browsers load
STATIC_URL = "/static/"
STATIC_ROOT = ATTUNE_HOME / "static" if PRODUCTION else None
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = not PRODUCTION
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# Mail out. In the sample these point at the local mailbox.
SMTP_HOST = environment.text("SMTP_HOST", "localhost")
SMTP_PORT = environment.number("SMTP_PORT", 587)
SMTP_USER = environment.text("SMTP_USER")
SMTP_PASSWORD = environment.secret("SMTP_PASSWORD")
SMTP_CA_FILE = environment.text("SMTP_CA_FILE")
SMTP_SECURITY = environment.one_of(
    "SMTP_SECURITY", "starttls", allowed=("starttls", "tls", "same_host")
)
SMTP_ONWARD_TLS = environment.one_of(
    "SMTP_ONWARD_TLS", "opportunistic", allowed=("opportunistic", "per_domain", "enforced")
)
"""What the relay promises of its own way to the recipient's server."""
DNS_SERVER = environment.text("DNS_SERVER")
"""The validating resolver that recipients' domains are looked up by; on this host, or DANE is not
believed. Empty: the first of /etc/resolv.conf, and nothing is looked up for the sample."""
DNS_PORT = environment.number("DNS_PORT", 53)
SMTP_LOG = environment.text("SMTP_LOG")
"""The relay's log, where this machine can read it: by it messages of unclear fate are settled."""
BULK_MAIL = environment.number("BULK_MAIL", 5_000)
"""A campaign of more messages starts only from a domain that receivers believe (EM-14)."""
SENDING_ADDRESSES = environment.text("SENDING_ADDRESSES")
"""The addresses from which the relay reaches receivers, with blanks between: what SPF must name."""
RETURN_PATH_SEPARATOR = environment.text("RETURN_PATH_SEPARATOR")
"""What your mail server takes for the beginning of a sub-address, such as `+`: with it each message
has a return path of its own."""
# Text messages: the gateway of the whole installation, docs/gateway.md. An organisation may set one
# of its own under Settings, Pools.
TEXTS_URL = environment.text("TEXTS_URL")
TEXTS_SECRET = environment.secret("TEXTS_SECRET")
TEXTS_NUMBER = environment.text("TEXTS_NUMBER")
"""The number that texts come from where a pool names none."""

NUMBER_CHECK = environment.text("NUMBER_CHECK")
"""A class of one's own that asks whether numbers changed hands, as a dotted path; see
consent/choices/number_checks.py."""

# Mail that comes back: the mailbox that bounces and replies reach, read by IMAP over TLS.
IMAP_HOST = environment.text("IMAP_HOST")
IMAP_PORT = environment.number("IMAP_PORT", 993)
IMAP_USER = environment.text("IMAP_USER")
IMAP_PASSWORD = environment.secret("IMAP_PASSWORD")
IMAP_FOLDER = environment.text("IMAP_FOLDER", "INBOX")
DKIM_DOMAIN = environment.text("DKIM_DOMAIN")
DKIM_SELECTOR = environment.text("DKIM_SELECTOR", "attune")
DKIM_KEY_FILE = environment.text("DKIM_KEY_FILE")

# Calls to other systems: endpoints of workflows, gateways and providers of messages
CALL_HOSTS = environment.words("CALL_HOSTS")
"""The hosts that may be called, with commas between, beside the APIs of the providers that Attune
knows; `*.example.org` for all below it."""
CALL_PRIVATE_HOSTS = environment.words("CALL_PRIVATE_HOSTS")
"""Hosts that may have addresses that are not public; those on this machine may speak http."""
CALL_CA_FILE = environment.text("CALL_CA_FILE")
"""The certificate of an authority of one's own, beside those of the system, for endpoints."""

# API
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["marketing.api.bodies.StrictJSONParser"],
    "EXCEPTION_HANDLER": "marketing.api.problems.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Attune",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "DESCRIPTION": "Contacts, events, consent and journeys of one organisation.",
    "PREPROCESSING_HOOKS": ["marketing.api.described.only_ours"],
    "POSTPROCESSING_HOOKS": ["marketing.api.described.add_the_rest"],
}

# Logs carry ids, never values: an exception is logged by its type and place, without its text.
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"private": {"()": "marketing.logs.PrivateFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "private"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": ["console"], "propagate": False, "level": "INFO"},
        "celery": {"level": "WARNING"},  # a line for every tick would bury the rest
    },
}
