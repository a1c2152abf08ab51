"""Whatever befalls a call of the live function, the states end as in undisturbed runs, and every incident is notified once."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from cutwatch.errors import AccessDenied, ConnectionLost, CutwatchError, Throttled
from tests.support.live_account import ending
from tests.support.live_application import LiveApplication
from tests.support.live_scenario import EVENT, LAST, after_hours
from tests.support.stream_state import Crash

MINUTES = after_hours(0)[0] - EVENT.begins
# The window begins, the incident begins, is over; one more run makes up for a fault in the one before it.
TIMES = [*after_hours(-2, 1), LAST + MINUTES, LAST + 2 * MINUTES]
# Every call that may be made; a new one must be added here.
LISTED = {
    f"{call} {when}"
    for when in ("before", "after")
    for call in (
        "cloudwatch put",
        "cloudwatch read",
        "dynamodb put",
        "dynamodb read",
        "dynamodb update",
        "events put",
        "lambda invoke",
        "s3 read",
        "s3 write",
        "sns publish",
    )
}
# What a notification without its record may repeat.
REPEATS = ("sns publish after", "events put after", "dynamodb update before", "dynamodb update after")  # fmt: skip


@dataclass
class Fault:
    """Raises an error at the n-th call, once; without a number, notes the calls."""

    number: int | None = None
    error: BaseException = field(default_factory=Crash)
    calls: list[str] = field(default_factory=list)

    def __call__(self, call: str) -> None:
        self.calls.append(call)
        if len(self.calls) - 1 == self.number:
            raise self.error


# Where all copies of the first run read their detectors.
FOLDER = TemporaryDirectory()


def run_all(folder: Path, fault: Fault) -> LiveApplication:
    """Return the application after all runs; the first is a copy of an undisturbed one if the fault comes later."""
    begun, calls = begin()
    comes_later = fault.number is None or fault.number >= len(calls)
    if comes_later:
        fault.calls = [*calls]
        application = deepcopy(begun, {id(begun.interrupt): fault})
        application.file = begun.file
    else:
        application = LiveApplication(folder, fault)
        application.run(TIMES[0])
    for time in TIMES[1:]:
        application.run(time)
    return application


@cache
def begin() -> tuple[LiveApplication, list[str]]:
    """Return the application after the first run, and its calls: the run that learns most of the window."""
    noted = Fault()
    application = LiveApplication(Path(FOLDER.name), noted)
    application.run(TIMES[0])
    return application, noted.calls


def ending_of(application: LiveApplication) -> Any:
    """Return what must not depend on faults, as an environment reads it that remembers nothing."""
    application.account.environment()
    return ending(application.account)


def undisturbed() -> tuple[LiveApplication, list[str], Any]:
    noted = Fault()
    with TemporaryDirectory() as folder:
        application = run_all(Path(folder), noted)
        calls = [*noted.calls]
        return application, calls, ending_of(application)


UNDISTURBED, CALLS, ENDING = undisturbed()


def crashes() -> Iterator[int]:
    """Every call of the run in which the incident begins, and every notification of the next one.

    A crash after a call is one before the next call of the same invocation.
    """
    plans = [n for n, call in enumerate(CALLS) if call == "dynamodb read before"]
    for number, (call, following) in enumerate(zip(CALLS, [*CALLS[1:], ""], strict=True)):
        same = call.endswith("after") and "lambda" not in call + following
        of_the_beginning = plans[1] <= number < plans[2] and not (
            same and following.endswith("before")
        )
        if of_the_beginning or (number >= plans[2] and call.startswith(("sns", "events"))):
            yield number


def errors() -> Iterator[tuple[int, CutwatchError]]:
    """Each kind of call is refused, throttled, or loses its answer, in the run in which the incident begins if it has one."""
    begins = [n for n, call in enumerate(CALLS) if call == "dynamodb read before"][1]
    for call in sorted(LISTED):
        number = CALLS.index(call, begins) if call in CALLS[begins:] else CALLS.index(call)
        if call.endswith("after"):
            yield number, ConnectionLost(call, "ConnectionError", "no answer")
        else:
            yield number, Throttled(call, "Throttling", "Rate exceeded")
            yield number, AccessDenied(call, "AccessDenied", "no")


def check(application: LiveApplication, call: str) -> None:
    assert ending_of(application) == ENDING
    destinations = application.account.destinations
    if call not in REPEATS:
        assert application.account.begun == [EVENT.id]
        assert len(destinations.mails) <= len(UNDISTURBED.account.destinations.mails)


def test_every_call_is_listed() -> None:
    assert set(CALLS) == LISTED


def test_an_undisturbed_scenario_notifies_beginning_severity_and_end() -> None:
    changes = [each["change"] for each in UNDISTURBED.account.destinations.events]
    assert changes == ["began", "escalated", "ended"]
    subjects = [mail.partition(":")[0] for mail in UNDISTURBED.account.destinations.mails]
    assert subjects == ["Cutwatch low", "Cutwatch medium"]
    # What is over by the time people are notified of it needs no second email.
    assert "over by now" in UNDISTURBED.account.destinations.texts[-1]
    assert ("LiveAnomaly", TIMES[1]) in UNDISTURBED.account.cloudwatch.published


@pytest.mark.parametrize("number", [*crashes()], ids=lambda n: f"{n}-{CALLS[n]}")
def test_a_crash_at_any_call_leaves_no_trace(number: int, tmp_path: Path) -> None:
    fault = Fault(number)
    application = run_all(tmp_path, fault)
    assert fault.calls[number] == CALLS[number]
    check(application, CALLS[number])


@pytest.mark.parametrize(
    ("number", "error"), [*errors()], ids=lambda n: n if isinstance(n, int) else type(n).__name__
)
def test_an_error_of_any_call_leaves_no_trace(
    number: int, error: CutwatchError, tmp_path: Path
) -> None:
    application = run_all(tmp_path, Fault(number, error))
    check(application, CALLS[number])
