import json
import math

import pytest

from cutwatch.errors import InvalidInput
from cutwatch.features.log_statistics import OTHER_PATHS, LogStatistics
from cutwatch.features.log_training import MOST_PATHS, fit_statistics
from tests.support.log_events import MONDAY, an_event, ordinary_events


def test_without_events_there_is_nothing_to_learn() -> None:
    with pytest.raises(InvalidInput, match="no log events"):
        fit_statistics([])


def test_rarity_counts_one_more_than_there_were() -> None:
    events = [an_event()] * 98 + [an_event(method="DELETE")]
    method = fit_statistics(events).method
    assert method.rarity("GET") == pytest.approx(-math.log(99 / 102))
    assert method.rarity("DELETE") == pytest.approx(-math.log(2 / 102))
    assert method.rarity("TRACE") == pytest.approx(-math.log(1 / 102))


def test_rare_and_new_paths_are_one_category() -> None:
    rare = [an_event(path=f"/rare/{'x' * number}") for number in range(1, 11)]
    known = fit_statistics([*[an_event()] * 90, *rare])
    assert known.path.counts == {"/cart": 90, OTHER_PATHS: 10}
    assert known.known_path("/rare/x") == known.known_path("/new") == OTHER_PATHS
    assert known.known_path("/cart") == "/cart"


def test_the_number_of_known_paths_has_a_limit() -> None:
    names = [f"/p/{chr(97 + a)}{chr(97 + b)}" for a in range(20) for b in range(15)]
    known = fit_statistics([an_event(path=name) for name in names for _ in range(5)])
    assert len(known.path.counts) == MOST_PATHS + 1
    assert known.path.counts[OTHER_PATHS] == 5 * (300 - MOST_PATHS)


def test_usual_times_are_those_of_the_path_and_the_hour() -> None:
    night = [an_event(time=MONDAY + n, response_time=0.1) for n in range(100)]
    noon = [an_event(time=MONDAY + 43_200 + n, response_time=1.0) for n in range(100)]
    known = fit_statistics([*night, *noon])
    assert known.usual_time("GET", "/cart", 0) == (0.1, 0.1, True)
    assert known.usual_time("GET", "/cart", 12) == (1.0, 1.0, True)
    assert known.usual_time("GET", "/cart", 18) == (0.1, 1.0, False)
    assert known.usual_time("GET", "/new", 12) == (1.0, 1.0, True)


def test_hours_are_those_of_the_time_zone() -> None:
    events = [an_event(time=MONDAY + n) for n in range(100)]
    assert set(fit_statistics(events, "Europe/Berlin").request_rates) == {-1, 2}


def test_statistics_survive_json_exactly() -> None:
    known = fit_statistics(ordinary_events(2_000))
    restored = LogStatistics.from_payload(json.loads(json.dumps(known.to_payload())))
    assert restored == known


def test_events_without_response_times_have_statistics_too() -> None:
    known = fit_statistics([an_event(response_time=None)] * 50)
    assert known.usual_time("GET", "/cart", 0) is None
    assert known.response_time("GET", "/cart") == (0.0, 1.0)
