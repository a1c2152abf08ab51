"""Tumbling windows: no batch spans two, each has a last invocation, and the state goes from one invocation to the next."""

from hypothesis import given, settings
from hypothesis import strategies as st

from localaws.event_sources.batches import Batch, Outcome, Result, Settings
from localaws.event_sources.tumbling_windows import TumblingQueue
from localaws.limits import LAMBDA_WINDOW_STATE_MAX_BYTES
from support.batches import FAILED, names, record


def queue(**settings: object) -> TumblingQueue:
    return TumblingQueue(Settings(tumbling_seconds=60, **settings))  # type: ignore[arg-type]


def done(state: object) -> Outcome:
    return Outcome(Result.DONE, state={"seen": state})


def run(of: TumblingQueue, now: float, until: float) -> list[tuple[str, bool, object]]:
    """Deliver what becomes ready; records, whether it is the window's last turn, and the state that came with it."""
    delivered = []
    while (due := of.due(now)) is not None and due <= until:
        now = max(now, due)
        batch = of.take(now)
        assert batch is not None
        assert batch.window is not None
        state = batch.window.state.get("seen", "")
        delivered.append((names(batch), batch.window.final, state))
        of.settle(batch, done(f"{state}{names(batch)}"), now)
    return delivered


def test_a_batch_ends_with_its_window() -> None:
    windows = queue()
    windows.offer([record("a", 10), record("b", 59), record("c", 60), record("d", 130)], 130)
    assert run(windows, 130, 1000) == [
        ("ab", False, ""),
        ("", True, "ab"),
        ("c", False, ""),
        ("", True, "c"),
        ("d", False, ""),
        ("", True, "d"),
    ]


def test_the_state_goes_on_within_a_window() -> None:
    windows = queue(batch_size=1)
    windows.offer([record("a", 10), record("b", 20)], 20)
    assert run(windows, 20, 59) == [("a", False, ""), ("b", False, "a")]
    assert windows.due(30) == 60
    assert run(windows, 30, 60) == [("", True, "ab")]
    assert windows.is_empty


def test_the_second_half_of_a_split_batch_gets_the_state_of_the_first() -> None:
    windows = queue(bisect=True)
    windows.offer([record("a", 1), record("b", 2)], 2)
    whole = windows.take(2)
    assert whole is not None
    windows.settle(whole, FAILED, 2)
    assert run(windows, 2, 59) == [("a", False, ""), ("b", False, "a")]


def test_the_last_invocation_of_a_window_is_retried() -> None:
    windows = queue()
    windows.offer([record("a", 1)], 1)
    run(windows, 1, 59)
    last = windows.take(60)
    assert last is not None
    windows.settle(last, FAILED, 60)
    assert run(windows, 60, 100) == [("", True, "a")]


def test_a_state_that_is_too_large_ends_its_window_early() -> None:
    windows = queue(batch_size=1)
    windows.offer([record("a", 1), record("b", 2)], 2)
    first = windows.take(2)
    assert first is not None
    windows.settle(first, done("x" * LAMBDA_WINDOW_STATE_MAX_BYTES), 2)
    last = windows.take(2)
    assert last is not None
    assert last.window is not None
    assert (last.records, last.window.final, last.window.early) == ((), True, True)
    windows.settle(last, done(""), 2)
    assert run(windows, 2, 3) == [("b", False, "")]


def test_a_window_counts_as_work_until_it_has_ended() -> None:
    windows = queue()
    assert windows.is_empty
    windows.offer([record("a", 1)], 1)
    batch = windows.take(1)
    assert batch is not None
    windows.settle(batch, done("a"), 1)
    assert not windows.is_empty
    assert isinstance(windows.take(60), Batch)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.integers(0, 400), max_size=20).map(sorted),
    st.integers(1, 5),
    st.booleans(),
    st.lists(st.booleans(), max_size=30),
)
def test_every_window_with_records_ends_once_and_has_seen_its_own(
    arrivals: list[int], size: int, bisect: bool, failures: list[bool]
) -> None:
    windows = queue(batch_size=size, bisect=bisect)
    windows.offer([record(str(n), at) for n, at in enumerate(arrivals)], max(arrivals, default=0))
    fails = iter(failures)
    ended: list[list[str]] = []
    now = float(max(arrivals, default=0))
    while (due := windows.due(now)) is not None:
        now = max(now, due)
        batch = windows.take(now)
        assert batch is not None
        assert batch.window is not None
        seen = [*batch.window.state.get("seen", []), *(each.position for each in batch.records)]
        failed = next(fails, False)
        windows.settle(batch, FAILED if failed else done(seen), now)
        if batch.window.final and not failed:
            ended.append(seen)
    expected: dict[int, list[str]] = {}
    for number, at in enumerate(arrivals):
        expected.setdefault(at // 60, []).append(str(number))
    assert ended == list(expected.values())
