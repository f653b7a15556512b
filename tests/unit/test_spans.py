import threading
from collections.abc import Iterator

import pytest

from container_manager.spans import SpanEvent, at_begin_of, observe, passed, span, timing


@pytest.fixture
def seen() -> Iterator[list[SpanEvent]]:
    events: list[SpanEvent] = []
    end = observe(events.append)
    yield events
    end()


def test_a_span_is_told_at_its_begin_and_its_end(seen: list[SpanEvent]) -> None:
    with span("launch", executor="mock", execution_id="one"):
        assert seen == [SpanEvent("launch", "begin", "mock", "one", None)]
    assert (seen[1].name, seen[1].edge, seen[1].execution_id) == ("launch", "end", "one")
    assert seen[1].seconds is not None
    assert seen[1].seconds >= 0


def test_a_step_that_raises_is_told_as_ended(seen: list[SpanEvent]) -> None:
    with pytest.raises(KeyError), span("launch"):
        raise KeyError
    assert [event.edge for event in seen] == ["begin", "end"]


def test_spans_nest(seen: list[SpanEvent]) -> None:
    with span("outer"), span("inner"):
        pass
    assert [(e.name, e.edge) for e in seen] == [
        ("outer", "begin"), ("inner", "begin"), ("inner", "end"), ("outer", "end"),
    ]  # fmt: skip


def test_an_observer_that_raises_interrupts_the_step() -> None:
    done = []

    def cut(event: SpanEvent) -> None:
        raise RuntimeError(event.name)

    end = observe(cut)
    try:
        with pytest.raises(RuntimeError, match="launch"), span("launch"):
            done.append("the step")
    finally:
        end()
    assert done == []


def test_an_observer_that_has_ended_is_told_nothing() -> None:
    events: list[SpanEvent] = []
    observe(events.append)()
    with span("launch"):
        pass
    assert events == []


def test_observers_of_other_threads_are_told_too(seen: list[SpanEvent]) -> None:
    def work() -> None:
        with span("elsewhere"):
            pass

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert [event.name for event in seen] == ["elsewhere", "elsewhere"]


def test_a_step_that_no_code_stood_around_is_told_at_its_end(seen: list[SpanEvent]) -> None:
    passed("wake", 0.5, "docker", "purser-1-1")
    passed("notice", -0.1)
    assert seen == [SpanEvent("wake", "end", "docker", "purser-1-1", 0.5), SpanEvent("notice", "end", "", "", 0)]


def test_timing_sums_the_spans_of_its_thread() -> None:
    def work() -> None:
        with span("pull"):
            pass

    with timing() as seconds:
        with span("launch"):
            work()
            first = seconds["pull"]
            work()
        thread = threading.Thread(target=work)
        after = dict(seconds)
        thread.start()
        thread.join()
    assert seconds == after
    assert seconds["launch"] >= seconds["pull"] > first
    work()
    assert seconds == after


def test_the_begin_of_a_named_span_is_told_within_the_thread_that_asked() -> None:
    told: list[str] = []
    elsewhere = threading.Thread(target=lambda: span("pull").__enter__())
    with at_begin_of("pull", lambda: told.append("pull")):
        with span("launch"), span("pull"):
            assert told == ["pull"]
        elsewhere.start()
        elsewhere.join()
    with span("pull"):
        pass
    assert told == ["pull"]
