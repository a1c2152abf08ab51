"""A batch isolates its detectors from each other, on the last try from transient errors too."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

import pytest

from cutwatch.errors import TRANSIENT, TRANSIENT_RETRIES, AccessDenied, InvalidInput, Throttled
from cutwatch.registry.outcome import Outcome
from cutwatch.runs.batch import Batch, is_last_try
from tests.support.builders import a_run, an_outcome

if TYPE_CHECKING:
    from cutwatch.registry.registry import Registry

NAMES = ("orders", "refunds", "visits")
THROTTLED = Throttled("PutObject", "SlowDown", "slow down")


class Outcomes(list[Outcome]):
    """A store that remembers outcomes, and may be unable to record those of some detectors."""

    def __init__(self, unable: Mapping[str, Exception]) -> None:
        super().__init__()
        self._unable = unable

    def record(self, run: str, now: Any, outcome: Outcome) -> bool:
        if outcome.detector in self._unable:
            raise self._unable[outcome.detector]
        self.append(outcome)
        return True


class Recorded:
    """A registry with such a store only."""

    def __init__(self, unable: Mapping[str, Exception] | None = None) -> None:
        self.outcomes = Outcomes(unable or {})


def batch(registry: Recorded, *, last_try: bool = False) -> Batch:
    return Batch(cast("Registry", registry), a_run(), last_try)


def failing(*names: str, error: Exception = THROTTLED) -> Callable[[str], str]:
    def work(name: str) -> str:
        if name in names:
            raise error
        return name.upper()

    return work


def same(name: str) -> str:
    return name


@pytest.mark.parametrize("kind", TRANSIENT)
def test_a_transient_error_is_raised_when_the_others_are_done(kind: type[Throttled]) -> None:
    registry = Recorded()
    done: list[str] = []

    def work(name: str) -> str:
        if name == "orders":
            raise kind("PutObject", "SlowDown", "slow down")
        done.append(name)
        return name

    with pytest.raises(kind):
        batch(registry).each(NAMES, same, work)
    assert (done, registry.outcomes) == (["refunds", "visits"], [])


@pytest.mark.parametrize("kind", TRANSIENT)
def test_on_the_last_try_it_is_the_detectors_own_failure(kind: type[Throttled]) -> None:
    registry = Recorded()
    work = failing("refunds", error=kind("PutObject", "SlowDown", "slow down"))

    assert batch(registry, last_try=True).each(NAMES, same, work) == ["ORDERS", "VISITS"]
    reason = f"{kind.__name__}: PutObject: slow down (SlowDown)"
    assert registry.outcomes == [an_outcome("refunds", "FAILED", reason)]


def test_on_the_last_try_each_of_a_batch_of_which_all_fail_has_its_own_reason() -> None:
    registry = Recorded()

    assert batch(registry, last_try=True).each(NAMES, same, failing(*NAMES)) == []
    assert [outcome.detector for outcome in registry.outcomes] == list(NAMES)
    assert {outcome.status for outcome in registry.outcomes} == {"FAILED"}


@pytest.mark.parametrize("last_try", [False, True])
def test_any_other_error_is_the_detectors_own_on_every_try(last_try: bool) -> None:
    registry = Recorded()
    denied = AccessDenied("PutObject", "AccessDenied", "no")

    found = batch(registry, last_try=last_try).each(NAMES, same, failing("orders", error=denied))

    assert found == ["REFUNDS", "VISITS"]
    assert [outcome.detector for outcome in registry.outcomes] == ["orders"]


def test_an_outcome_that_cannot_be_recorded_yet_stops_no_other_detector() -> None:
    registry = Recorded({"orders": THROTTLED})

    with pytest.raises(Throttled):
        batch(registry).each(NAMES, same, lambda name: an_outcome(name, "NO_DATA"))
    assert [outcome.detector for outcome in registry.outcomes] == ["refunds", "visits"]


def test_on_the_last_try_an_outcome_that_cannot_be_recorded_costs_no_other_detector_its_result() -> (
    None
):
    registry = Recorded({"orders": THROTTLED})

    found = batch(registry, last_try=True).each(NAMES, same, failing("orders"))

    assert found == ["REFUNDS", "VISITS"]


def test_an_outcome_that_may_not_be_recorded_is_raised_for_the_state_machine_to_record() -> None:
    registry = Recorded({"orders": AccessDenied("PutItem", "AccessDeniedException", "no")})

    with pytest.raises(AccessDenied):
        batch(registry, last_try=True).each(NAMES, same, failing("orders"))


@pytest.mark.parametrize(
    ("retries", "last"),
    [
        (0, False),
        (TRANSIENT_RETRIES - 1, False),
        (TRANSIENT_RETRIES, True),
        (TRANSIENT_RETRIES + 1, True),
    ],
)
def test_the_last_try_is_the_one_after_all_retries(retries: int, last: bool) -> None:
    assert is_last_try({"retries": retries}) is last


def test_an_execution_that_began_before_an_update_is_retried_as_it_was() -> None:
    assert not is_last_try({})


@pytest.mark.parametrize("retries", ["6", None, -1, 1.5, True, [6]])
def test_a_number_of_retries_that_is_none_is_refused(retries: Any) -> None:
    with pytest.raises(InvalidInput, match=r"retries is .+; expected a number"):
        is_last_try({"retries": retries})
