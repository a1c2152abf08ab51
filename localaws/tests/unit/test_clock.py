"""The clock that skips waiting."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from localaws.clock import Clock
from localaws.clocked_pool import ClockedPool

START = datetime(2014, 7, 1, tzinfo=UTC)


class StillClock(Clock):
    """A clock on which nothing but waits and moves makes time pass, however busy the machine is."""

    def _put(self, moment: datetime) -> None:
        super()._put(moment)
        self._coordinates.move_to(moment, tick=False)


@pytest.fixture
def clock() -> Iterator[Clock]:
    clock = StillClock()
    clock.move_to(START)
    yield clock
    clock.restore()


def sleepers(clock: Clock, *naps: list[float]) -> list[list[datetime]]:
    """When each of several busy threads woke from each of its naps."""
    woken: list[list[datetime]] = [[] for _ in naps]

    def sleep(number: int) -> None:
        with clock.already_held():
            for seconds in naps[number]:
                clock.sleep(seconds)
                woken[number].append(clock.now())
        clock.release()

    threads = [threading.Thread(target=sleep, args=(number,)) for number in range(len(naps))]
    for _ in threads:
        clock.hold()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return woken


def seconds_after_start(moments: list[datetime]) -> list[int]:
    return [round((moment - START).total_seconds()) for moment in moments]


def test_a_moved_clock_is_the_processes_clock_and_ticks() -> None:
    ticking = Clock()
    ticking.move_to(START)
    try:
        before = datetime.now(UTC)
        time.sleep(0.01)
        after = datetime.now(UTC)
    finally:
        ticking.restore()
    assert START <= before < after < START + timedelta(hours=1)


def test_a_restored_clock_is_real_again(clock: Clock) -> None:
    clock.restore()
    assert datetime.now(UTC).year > 2014
    assert not clock.moved


def test_a_clock_moves_to_aware_moments_only(clock: Clock) -> None:
    with pytest.raises(ValueError, match="aware"):
        clock.move_to(datetime(2014, 7, 1))  # noqa: DTZ001 - the point


def test_waiting_takes_no_time_but_passes_on_the_clock(clock: Clock) -> None:
    began = time.perf_counter()
    with clock.busy():
        clock.sleep(86_400)
    assert time.perf_counter() - began < 3600
    assert clock.now() - START >= timedelta(days=1)


def test_waits_pass_side_by_side(clock: Clock) -> None:
    woken = sleepers(clock, [10, 10, 10], [25], [40])
    assert [seconds_after_start(moments) for moments in woken] == [[10, 20, 30], [25], [40]]


def test_nothing_is_skipped_while_somebody_is_busy(clock: Clock) -> None:
    woken = threading.Event()

    def sleep() -> None:
        with clock.busy():
            clock.sleep(60)
        woken.set()

    with clock.busy():
        threading.Thread(target=sleep).start()
        assert not woken.wait(0.05)
        assert clock.now() - START < timedelta(seconds=10)
    assert woken.wait(60)


def test_waiting_for_others_is_not_being_busy(clock: Clock) -> None:
    woken = threading.Event()

    def sleep() -> None:
        with clock.busy():
            clock.sleep(60)
            woken.set()

    with clock.busy():
        threading.Thread(target=sleep).start()
        assert clock.wait_until(woken.is_set, 3600)


def test_busy_work_within_busy_work_counts_once(clock: Clock) -> None:
    with clock.busy(), clock.busy():
        clock.sleep(60)
    assert clock.now() - START >= timedelta(seconds=60)


def test_moving_the_clock_wakes_who_has_slept_enough(clock: Clock) -> None:
    woken = threading.Event()

    def sleep() -> None:
        with clock.busy():
            clock.sleep(60)
        woken.set()

    with clock.busy():
        threading.Thread(target=sleep).start()
        assert not woken.wait(0.05)
        clock.advance(61)
        assert woken.wait(60)


def test_a_clock_of_scale_one_sits_waits_out_and_stays_real() -> None:
    clock = Clock(wait_scale=1)
    began = time.perf_counter()
    with clock.busy():
        clock.sleep(0.05)
    assert time.perf_counter() - began >= 0.05
    assert not clock.moved


def test_a_scaled_wait_is_slept_in_part_and_skipped_for_the_rest(clock: Clock) -> None:
    clock.wait_scale = 0.001
    began = time.perf_counter()
    with clock.busy():
        clock.sleep(50)
    assert 0.05 <= time.perf_counter() - began < 50
    assert clock.now() - START >= timedelta(seconds=50)


def test_what_others_do_is_waited_for_no_longer_than_said(clock: Clock) -> None:
    done = threading.Event()

    def work() -> None:
        with clock.already_held():
            clock.sleep(60)
            done.set()
        clock.release()

    for limit, expected in ((30, False), (90, True)):
        clock.move_to(START)
        done.clear()
        with clock.busy():
            clock.hold()
            worker = threading.Thread(target=work)
            worker.start()
            assert clock.wait_until(done.is_set, limit) is expected
            assert clock.now() - START < timedelta(seconds=min(limit, 60) + 1)
        worker.join()


def test_when_a_pool_is_done_nobody_skips_ahead_of_whoever_waited_for_it(clock: Clock) -> None:
    with clock.busy():
        stuck = _sleeping_for(clock, timedelta(days=3))
        for _ in range(50):
            with ClockedPool(clock, 1) as pool:
                done = pool.submit(lambda: None)
                clock.wait_until(done.done, 86_400)
        assert clock.now() - START < timedelta(days=1)
    stuck.join(60)


def _sleeping_for(clock: Clock, how_long: timedelta) -> threading.Thread:
    asleep = threading.Event()

    def sleep() -> None:
        with clock.busy():
            asleep.set()
            clock.sleep(how_long.total_seconds())

    thread = threading.Thread(target=sleep)
    with clock.busy():
        thread.start()
        asleep.wait(60)
    return thread
