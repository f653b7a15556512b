"""GET /api/docs, /api/docs/problems and /api/schema."""

import re

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from api.problems import STATUS


def test_the_page_takes_everything_from_this_server() -> None:
    page = Client().get("/api/docs").content.decode()

    found = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(found) == 2
    for path in found:
        assert finders.find(path.removeprefix("/static/"))
    assert "//" not in page.replace("<!doctype", "")


@pytest.mark.django_db
def test_what_the_page_takes_is_served() -> None:
    page = Client().get("/api/docs").content.decode()

    for path in re.findall(r'(?:src|href)="([^"]+)"', page):
        answer = Client().get(path)
        assert answer.status_code == 200
        answer.close()


def test_the_type_of_every_problem_leads_to_its_description() -> None:
    page = Client().get("/api/docs/problems").content.decode()

    for kind in STATUS:
        assert f'<dt id="{kind.code}">' in page


def test_the_document_is_given_as_yaml_or_json() -> None:
    as_yaml, as_json = (
        Client().get("/api/schema", headers={"Accept": form}) for form in ("application/yaml", "application/json")
    )

    assert as_yaml.content.startswith(b"openapi: 3.1")
    assert as_json.json()["openapi"].startswith("3.1")
