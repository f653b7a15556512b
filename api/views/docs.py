"""The contract, and pages to read it and to try it on; all of it works without internet."""

from html import escape

import orjson
from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static
from django.views.decorators.http import require_safe
from rest_framework.request import Request

from api import schema
from api.endpoint import JSON, OpenView, answer, endpoint
from api.parsing import Query
from api.problems import STATUS, title_of
from api.schemas.process import OpenApiDocument

YAML = "application/yaml"
_UI = "drf_spectacular_sidecar/swagger-ui-dist"
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">{head}</head><body>{body}</body></html>
"""


class ApiSchema(OpenView):
    """The OpenAPI document."""

    @endpoint(
        "getSchema",
        "Read the OpenAPI document",
        scope=None,
        answers={200: {YAML: OpenApiDocument, JSON: OpenApiDocument}},
        media_types=(YAML, JSON),
    )
    def get(self, request: Request, query: Query) -> HttpResponse:
        """This document, as YAML or JSON."""
        if request.accepted_renderer.media_type == JSON:
            return answer(schema.document())
        return HttpResponse(schema.yaml(), content_type=YAML)


@require_safe
def docs(_request: HttpRequest) -> HttpResponse:
    """A page to read the contract and to try it on."""
    head = f'<link rel="stylesheet" href="{static(f"{_UI}/swagger-ui.css")}">'
    options = orjson.dumps({"url": "/api/schema", "dom_id": "#ui", "deepLinking": True}).decode()
    script = (
        f'<script src="{static(f"{_UI}/swagger-ui-bundle.js")}"></script><script>SwaggerUIBundle({options})</script>'
    )
    return HttpResponse(_PAGE.format(title="Purser API", head=head, body=f'<div id="ui"></div>{script}'))


@require_safe
def problems(_request: HttpRequest) -> HttpResponse:
    """What each problem's `type` opens: its code, its status and what it means."""
    rows = sorted((status, kind.code, title_of(kind)) for kind, status in STATUS.items())
    body = "".join(
        f'<dt id="{escape(code)}"><code>{escape(code)}</code> ({status})</dt><dd>{escape(title)}</dd>'
        for status, code, title in rows
    )
    return HttpResponse(_PAGE.format(title="Purser problems", head="", body=f"<h1>Problems</h1><dl>{body}</dl>"))
