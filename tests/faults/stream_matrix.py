"""Every distinct call of a stream's functions with every fault of AWS's: the outcome is that of an undisturbed process.

`python -m tests.faults.stream_matrix` judges all cases and prints the matrix; an argument chooses those whose names hold it.
"""

import re
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from localaws import Fault
from localaws.calls import Call
from tests.faults.calls import Target
from tests.faults.cases import KINDS, Kind, fault_of
from tests.faults.matrix import Verdict, shown
from tests.faults.stream_shop import FEATURED, SEEDED, STACK, STREAM, StreamShop, opened_stream_shop

_FUNCTION = re.compile(rf"/{STACK}-([A-Za-z]+)-[0-9A-F]+$")
_PREFIX = re.compile(r"streams/[^/]+/[0-9a-f]+/|(?<=cold-starts/)[^/]+/[0-9a-f]+")
# How often a mail may come where the function cannot know whether it was taken: once for each of botocore's attempts and
# once more, or once more after the function has ended. A denial once the mail is out is not tried again at once.
_MOST_MAILS = {"reset after": 4, "late": 2, "killed": 2, "denied": 2}


@dataclass(frozen=True)
class StreamCase:
    """One fault of one call."""

    target: Target
    kind: Kind
    kept: str = "stream"

    @property
    def name(self) -> str:
        return f"{self.kept}: {self.target.label} #{self.target.occurrence + 1} [{self.kind}]"

    @property
    def fault(self) -> Fault:
        return fault_of(self.target, self.kind)


def stream_cases(shop: StreamShop) -> list[StreamCase]:
    """Every case, from the calls of an undisturbed run."""
    shop.rewind()
    before = len([*shop.aws.calls])
    shop.run()
    return cases_of(shop, [*shop.aws.calls][before:])


def cases_of(shop: StreamShop, calls: Iterable[Call]) -> list[StreamCase]:
    """Every case that the calls of a run give."""
    found = _targets(calls)
    if shop.stream.cold_start:
        found = (target for target in found if _is_of_cold_start(target))
    return [StreamCase(target, kind, shop.title) for target in found for kind in KINDS]


def _is_of_cold_start(target: Target) -> bool:
    """Return True for a call that other streams do not make."""
    return target.subject.startswith(("cold-starts/", "models/", "DETECTOR"))


def _targets(calls: Iterable[Call]) -> Iterator[Target]:
    """The first calls of each kind: in the first batches, and where an incident begins and ends."""
    seen: Counter[tuple[str, str, str]] = Counter()
    known: Counter[tuple[str, str, str, str]] = Counter()
    for call in calls:
        match = _FUNCTION.search(call.caller)
        if match is None:
            continue
        key = (match[1], call.service, call.operation)
        subject = _subject(call)
        if known[(*key, subject)] < 2:
            yield Target("transform", *key, seen[key], subject, ())
        known[(*key, subject)] += 1
        seen[key] += 1


def _subject(call: Call) -> str:
    if call.service == "s3":
        return _PREFIX.sub("", str(call.parameters.get("Key", "")))
    if call.service == "dynamodb":
        key = call.parameters.get("Key", {})
        return str(key.get("pk", {}).get("S", ""))
    return str(call.parameters.get("FunctionName", "")).rpartition(":")[2]


def problems(shop: StreamShop, case: StreamCase) -> list[str]:
    """Run the scenario with a fault; return what differs from an undisturbed process."""
    shop.rewind()
    shop.aws.faults.add(case.fault)
    shop.run()
    shop.aws.faults.clear()
    return [*differences(shop, case)]


def differences(shop: StreamShop, case: StreamCase | None = None) -> Iterator[str]:
    """Yield what differs from an undisturbed process after the scenario, with a fault or without one."""
    states, incidents, rejected = shop.replayed()
    found = shop.incidents()
    if shop.states() != states:
        yield "the stored states differ"
    if found.keys() != incidents:
        yield f"incidents {sorted(found)} instead of {sorted(incidents)}"
    if not all(ended and {"began", "ended"} <= _kinds(told) for ended, told in found.values()):
        yield f"not every incident was notified from its beginning to its end: {found}"
    yield from _wrong_queues(shop, rejected)
    yield from _wrong_mails(shop, case, incidents)


def _wrong_queues(shop: StreamShop, rejected: set[int]) -> Iterator[str]:
    if sorted(shop.rejected()) != sorted(rejected):
        yield f"rejected records {rejected} are not in their queue, each once"
    if shop.lost():
        yield "records were given up"
    if shop.outboxes():
        yield f"outboxes {shop.outboxes()} are not empty"


def _wrong_mails(shop: StreamShop, case: StreamCase | None, incidents: set[str]) -> Iterator[str]:
    """Mails may come twice only where the function could not know that the first was taken."""
    counted = Counter(shop.mails())
    allowed = _MOST_MAILS.get(case.kind, 1) if case is not None else 1
    # The beginning of the incident under the name before was mailed by then.
    if len(counted) < 2 * len(incidents) - 1:
        yield f"mails are missing: {counted}"
    if any(number > allowed for number in counted.values()):
        yield f"mails came too often: {counted}"


def _kinds(told: frozenset[str]) -> set[str]:
    return {each.partition(":")[0] for each in told}


def verdicts(shop: StreamShop, cases: list[StreamCase], numbers: Iterable[int]) -> Iterator[Verdict]:  # fmt: skip
    """Judge cases one after the other."""
    for number in numbers:
        case = cases[number]
        row = case.name.rpartition(" [")[0]
        try:
            found = tuple(problems(shop, case))
        except Exception as error:  # noqa: BLE001 - a case that cannot be judged has not passed
            found = (f"{type(error).__name__}: {error}",)
        yield Verdict(number, row, case.kind, found)


def main() -> int:
    """Judge, tell progress, print the matrix; 1 if a case failed."""
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    started, done = time.monotonic(), list[Verdict]()
    for stream in (STREAM, FEATURED, SEEDED):
        with opened_stream_shop(stream) as shop:
            cases = stream_cases(shop)
            numbers = [number for number, case in enumerate(cases) if wanted in case.name]
            for verdict in verdicts(shop, cases, numbers):
                done.append(verdict)
                if verdict.problems:
                    print(cases[verdict.number].name, *verdict.problems, sep="\n  ", flush=True)
                if len(done) % 25 == 0:
                    print(f"{len(done)} cases", flush=True)
    print(shown(done))
    print(f"{time.monotonic() - started:.0f} s")
    return int(any(verdict.problems for verdict in done))


if __name__ == "__main__":
    sys.exit(main())
