"""GET /api/v1/executors/{executor}/metrics and /metrics."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families as parse

from container_manager import reports, spans, tallies
from container_manager.breaker import DatabaseBreaker
from container_manager.circuit import Rule
from container_manager.executors.registry import executors
from container_manager.executors.results import Health
from container_manager.models import Capacity, DispatcherLease, JobCount
from container_manager.states import LaunchPath
from tests.api.conftest import launch
from tests.factories import ContainerJobFactory


def scraped(client: Client) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every sample of /metrics by name and labels."""
    families = parse(client.get("/metrics", headers={"Accept": "*/*"}).content.decode())
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}


@pytest.fixture
def dispatcher(db: None, settings: object) -> DispatcherLease:
    expiry = timezone.now() + timedelta(seconds=4)
    return DispatcherLease.objects.create(host="here", process="1", lease_expires_at=expiry)


def test_an_executors_jobs_are_counted_for_the_tokens_namespace(client: Client) -> None:
    JobCount.objects.create(executor="mock", namespace="default", state="failed", reason="oom", count=2)
    JobCount.objects.create(executor="mock", namespace="elsewhere", state="failed", reason="oom", count=5)
    document = client.get("/api/v1/executors/mock/metrics").json()

    assert document["jobs"] == [{"state": "failed", "reason": "oom", "count": 2}]


def test_an_executors_allocation_is_the_ledgers(client: Client) -> None:
    Capacity.objects.create(executor="mock", memory_used=512, memory_total=1024, cpu_millis_used=500)
    utilization = client.get("/api/v1/executors/mock/metrics").json()["utilization"]

    assert (utilization["memory_used_mib"], utilization["memory_percent"]) == (512, 50)
    assert (utilization["cpu_used_cores"], utilization["cpu_total_cores"]) == (0.5, None)


def test_what_each_dispatcher_counted_is_shown(client: Client, dispatcher: DispatcherLease) -> None:
    reports.publish(executors["mock"], dispatcher.pk, Health(True), 0.25)
    process = client.get("/api/v1/executors/mock/metrics").json()["processes"][0]

    assert process["dispatcher"] == str(dispatcher.pk)
    assert process["metrics"]["jobs_launched"] == 0
    assert process["performance"]["p50"] is None


def test_prometheus_sees_the_books(client: Client, dispatcher: DispatcherLease) -> None:
    ContainerJobFactory.create()
    ContainerJobFactory.create(active=True, namespace="elsewhere")
    JobCount.objects.create(executor="mock", namespace="default", state="succeeded", reason="completed", count=3)
    Capacity.objects.create(executor="mock", memory_used=64, cpu_millis_used=500)
    samples = scraped(client)

    assert samples["purser_jobs", (("executor", "mock"), ("state", "queued"))] == 1
    assert samples["purser_jobs", (("executor", "mock"), ("state", "running"))] == 1
    assert samples["purser_jobs", (("executor", "other"), ("state", "running"))] == 0
    labels = (("executor", "mock"), ("reason", "completed"), ("state", "succeeded"))
    assert samples["purser_jobs_entered_total", labels] == 3
    assert samples["purser_memory_reserved_mib", (("executor", "mock"),)] == 64
    assert samples["purser_executor_up", (("executor", "mock"),)] == 0


def test_prometheus_sees_slots_and_the_breaker(client: Client) -> None:
    Capacity.objects.create(executor="mock", jobs_used=2, jobs_total=4)
    DatabaseBreaker("mock").change(
        lambda circuit: circuit.launch_failed("launch_error", Rule(1, timedelta(minutes=1)), timezone.now())
    )
    samples = scraped(client)

    assert samples["purser_slots_reserved", (("executor", "mock"),)] == 2
    assert samples["purser_slots_total", (("executor", "mock"),)] == 4
    assert samples["purser_executor_breaker", (("executor", "mock"), ("state", "open"))] == 1
    assert samples["purser_executor_breaker", (("executor", "mock"), ("state", "closed"))] == 0
    assert samples["purser_executor_breaker", (("executor", "other"), ("state", "closed"))] == 1


def test_prometheus_sees_how_old_the_last_heartbeat_is(client: Client, dispatcher: DispatcherLease) -> None:
    assert 5 < scraped(client)["purser_dispatcher_heartbeat_age_seconds", ()] < 9


def test_prometheus_sees_requests_by_the_template_of_their_path(client: Client) -> None:
    labels = (("code", "404"), ("method", "GET"), ("route", "/api/v1/jobs/<str:job>"))
    before = scraped(client).get(("purser_http_requests_total", labels), 0)
    client.get("/api/v1/jobs/1")
    client.get("/api/v1/jobs/2")

    assert scraped(client)["purser_http_requests_total", labels] == before + 2


def test_a_method_of_somebodys_invention_makes_no_new_series(client: Client) -> None:
    client.generic("BREW", "/livez")

    labels = (("code", "405"), ("method", "other"), ("route", "/livez"))
    assert ("purser_http_requests_total", labels) in scraped(client)


def test_prometheus_sees_the_steps_of_work_in_this_process(client: Client) -> None:
    with spans.span("created", "mock"):
        pass

    assert scraped(client)["purser_span_seconds_count", (("executor", "mock"), ("span", "created"))] >= 1


def test_the_stages_of_a_job_are_seen_under_their_names(client: Client, dispatcher: DispatcherLease) -> None:
    launch(client, {"command": ["true"]})
    reports.publish(executors["mock"], dispatcher.pk, Health(True), 0.25)
    stages = client.get("/api/v1/executors/mock/metrics").json()["processes"][0]["performance"]["stages"]

    assert scraped(client)["purser_stage_seconds_count", (("executor", "mock"), ("stage", "accepted"))] >= 1
    assert stages["accepted"]["p99"] >= stages["accepted"]["p50"] > 0


def test_openmetrics_is_given_to_who_asks_for_it(client: Client) -> None:
    launch(client, {"command": ["true"]})
    answer = client.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})

    assert answer["Content-Type"].startswith("application/openmetrics-text")
    assert answer.content.endswith(b"# EOF\n")


def test_the_jobs_of_the_namespace_that_have_not_ended_are_counted_as_they_are(client: Client) -> None:
    ContainerJobFactory.create()
    ContainerJobFactory.create(active=True)
    ContainerJobFactory.create(active=True, namespace="elsewhere")

    assert client.get("/api/v1/executors/mock/metrics").json()["active"] == {"queued": 1, "launching": 0, "running": 1}


def test_the_ways_that_launches_took_are_counted(client: Client) -> None:
    tallies.add_launch("mock", LaunchPath.COLD)
    for _ in range(2):
        tallies.add_launch("mock", LaunchPath.PREPARED_NETWORK)

    document = client.get("/api/v1/executors/mock/metrics").json()
    assert document["launches"] == {"cold": 1, "prepared_network": 2, "warm": 0}
    assert scraped(client)["purser_launches_total", (("executor", "mock"), ("path", "prepared_network"))] == 2
