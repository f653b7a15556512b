"""`uvicorn api.asgi:application`: the API, for any ASGI server."""

import os

import django
from django.apps import apps
from django.utils.module_loading import import_string

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "api.settings")
if not apps.ready:
    django.setup(set_prefix=False)

application = import_string("api.handler.Handler")()
