import pytest

from container_manager.rates import Gate, Rate, parse


def test_a_rate_is_read_as_requests_in_seconds() -> None:
    assert parse("600/60") == Rate(600, 60)
    assert parse("none") is None
    assert str(Rate(600, 60)) == "600/60"


@pytest.mark.parametrize("text", ["", "600", "0/60", "600/0", "-1/60", "600/60/1", "٣/60", "6e2/60"])
def test_anything_else_is_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(ValueError, match="must be REQUESTS/SECONDS"):
        parse(text)


@pytest.mark.parametrize(
    ("rate", "most", "within"),
    [("10/60", "10/60", True), ("9/60", "10/60", True), ("10/61", "10/60", True), ("5/30", "10/60", True),
     ("11/60", "10/60", False), ("10/59", "10/60", False), ("20/3600", "10/60", False), ("6/30", "10/60", False)],
)  # fmt: skip
def test_a_rate_is_within_another_at_once_and_in_the_long_run(rate: str, most: str, within: bool) -> None:
    first, second = parse(rate), parse(most)

    assert first is not None
    assert first.within(second) is within
    assert first.within(None)


def test_a_gate_counts_each_key_and_tells_what_it_missed() -> None:
    gate = Gate()
    rate = Rate(2, 3600)

    assert [gate.enter("a", rate).ok for _ in range(4)] == [True, True, False, False]
    assert gate.enter("b", rate).ok
    gate._counts["a"].ends_at = 0
    assert gate.enter("a", rate).missed == 2
    assert gate.enter("a", rate).missed == 0


def test_a_gate_forgets_who_came_the_longest_ago() -> None:
    gate = Gate()
    for number in range(10_001):
        gate.enter(str(number), Rate(1, 3600))

    assert gate.enter("0", Rate(1, 3600)).ok
    assert not gate.enter("10000", Rate(1, 3600)).ok
