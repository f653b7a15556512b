"""Django's settings, derived from the one configuration; an operator changes that, not this."""

from api import configuration

PURSER = configuration.load()
configuration.prepare_data_dir(PURSER.data_dir)

SECRET_KEY = PURSER.secret
SECRET_KEY_FALLBACKS = PURSER.old_secrets
DEBUG = False
ALLOWED_HOSTS = list(PURSER.allowed_hosts)

INSTALLED_APPS = [
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "container_manager",
    "api",
]
MIDDLEWARE = [
    "api.middleware.RequestMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
]
ROOT_URLCONF = "api.urls"
APPEND_SLASH = False
DATA_UPLOAD_MAX_MEMORY_SIZE = None  # RequestMiddleware bounds bodies, by PURSER_MAX_BODY_BYTES

DATABASES = {"default": PURSER.database}
EXECUTORS = PURSER.executor_settings

STORAGES = {
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "logs": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": PURSER.data_dir / "logs", "file_permissions_mode": 0o600},
    },
}
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True

LANGUAGE_CODE = "en-us"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"

LOGGING_CONFIG = "api.service_log.configure"
LOGGING = {"level": PURSER.log_level, "format": PURSER.log_format}

REST_FRAMEWORK = {"UNAUTHENTICATED_USER": None, "URL_FORMAT_OVERRIDE": None}
SPECTACULAR_SETTINGS = {
    "TITLE": "Purser",
    "DESCRIPTION": "Runs containers over REST, on every engine alike, and keeps the account of every one of them.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.1",
    "COMPONENT_SPLIT_PATCH": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": ["api.schema_rules.apply"],
    "SERVERS": [{"url": "/", "description": "The service that this document was read from."}],
    "CONTACT": {"name": "Whoever runs this service"},
    "TAGS": [
        {"name": "jobs", "description": "Launch, status, logs, events, cancel, cleanup."},
        {"name": "secrets", "description": "What the namespace keeps for its jobs and nobody is shown."},
        {"name": "webhooks", "description": "Where the namespace is told of its jobs' changes."},
        {"name": "executors", "description": "What is registered: capabilities, health, metrics."},
        {"name": "tokens", "description": "Who may do what, and who did what: tokens and the audit log."},
        {"name": "service", "description": "Purser itself."},
    ],
}
