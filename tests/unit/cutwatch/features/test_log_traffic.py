import json

import pytest

from cutwatch.features.log_traffic import WINDOW_SECONDS, RecentTraffic, Traffic
from tests.support.log_events import MONDAY


def traffic_after(times: list[float], recent: RecentTraffic | None = None) -> Traffic:
    recent = recent or RecentTraffic()
    return [recent.add(time, f"/{time}", is_error=False) for time in times][-1]


def test_the_window_forgets_what_is_older_than_a_minute() -> None:
    steady = [MONDAY + float(second) for second in range(600)]
    found = traffic_after(steady)
    assert found.seconds == WINDOW_SECONDS
    assert 55 <= found.requests <= 60
    assert found.distinct_paths == found.requests


def test_rates_of_the_first_seconds_do_not_wait_for_a_whole_window() -> None:
    assert traffic_after([MONDAY + each / 10 for each in range(200)]).request_rate == (
        pytest.approx(10, rel=0.1)
    )


def test_silence_lowers_the_rate() -> None:
    recent = RecentTraffic()
    before = traffic_after([MONDAY + float(second) for second in range(120)], recent)
    after = traffic_after([MONDAY + 1_000.0], recent)
    assert after.request_rate < before.request_rate / 50


def test_an_error_among_few_requests_is_damped_and_among_many_is_not() -> None:
    alone = RecentTraffic().add(0.0, "/", is_error=True)
    recent = RecentTraffic()
    many = [recent.add(0.0, "/", is_error=number % 2 == 0) for number in range(1_000)][-1]
    assert alone.error_rate < 0.1
    assert many.error_rate == pytest.approx(0.5, abs=0.01)


def test_late_events_count_in_their_own_slot() -> None:
    recent = RecentTraffic()
    assert traffic_after([100.0, 160.0, 130.0], recent).requests == 2
    assert traffic_after([189.0], recent).requests == 3
    assert traffic_after([196.0], recent).requests == 3


def test_a_scan_does_not_fill_the_memory() -> None:
    recent = RecentTraffic()
    for number in range(10_000):
        recent.add(MONDAY, f"/scan/{number}", is_error=False)
    assert recent.add(MONDAY, "/", is_error=False).distinct_paths == 256


def test_counts_survive_bytes_exactly() -> None:
    times = [MONDAY + each * 0.7 for each in range(300)]
    one, other = RecentTraffic(), RecentTraffic()
    for number, time in enumerate(times):
        path, is_error = f"/{number % 7}", number % 5 == 0
        other = RecentTraffic.from_payload(json.loads(json.dumps(other.to_payload())))
        assert one.add(time, path, is_error=is_error) == other.add(time, path, is_error=is_error)
