"""`uvicorn api.asgi:application`: the API, for any ASGI server."""

import gc
import os

import django
from django.apps import apps
from django.utils.module_loading import import_string

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "api.settings")
if not apps.ready:
    django.setup(set_prefix=False)

application = import_string("api.handler.Handler")()

gc.freeze()  # what is here now stays: to go through it again at each full collection holds up every request for a while
