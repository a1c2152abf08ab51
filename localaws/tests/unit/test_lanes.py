"""Lanes: parents before children, keys in order, and nothing skipped, whatever fails."""

from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from localaws.event_sources.batches import FOREVER, Outcome, Result, Settings, SourceRecord
from localaws.event_sources.lanes import Lanes
from localaws.event_sources.source import Start
from support.batches import DONE, FAILED, NOT_INVOKED, Stream, positions, record

KEYS = ("red", "green", "blue")


def lanes_of(**chosen: object) -> Lanes:
    return Lanes(Settings(**chosen), {}, Start())  # type: ignore[arg-type]


def test_a_child_is_read_once_its_parents_records_are_done() -> None:
    stream, lanes = Stream(), lanes_of()
    stream.open("parent")
    stream.put("parent", record("a"))
    stream.open("child", "parent")
    stream.put("child", record("b"))
    stream.feed(lanes, 0.0)
    (turn,) = lanes.turns(0.0)
    stream.feed(lanes, 0.0)
    assert lanes.turns(0.0) == []
    lanes.settle(turn, DONE, 0.0)
    stream.feed(lanes, 0.0)
    assert positions(lanes.turns(0.0)) == ["b"]


def test_the_child_of_a_merge_waits_for_both_parents() -> None:
    stream, lanes = Stream(), lanes_of()
    for parent in ("left", "right"):
        stream.open(parent)
        stream.put(parent, record(parent[0]))
    stream.open("child", "left", "right")
    stream.put("child", record("c"))
    stream.feed(lanes, 0.0)
    left, right = lanes.turns(0.0)
    lanes.settle(left, DONE, 0.0)
    stream.feed(lanes, 0.0)
    assert lanes.turns(0.0) == []
    lanes.settle(right, DONE, 0.0)
    stream.feed(lanes, 0.0)
    assert positions(lanes.turns(0.0)) == ["c"]


def test_a_lane_whose_parent_has_expired_is_read() -> None:
    stream, lanes = Stream(), lanes_of()
    stream.open("child")
    stream.parents["child"] = ("gone",)
    stream.put("child", record("a"))
    stream.feed(lanes, 0.0)
    assert positions(lanes.turns(0.0)) == ["a"]


def test_a_lane_that_is_born_later_is_read_from_its_beginning() -> None:
    stream = Stream()
    stream.open("parent")
    stream.put("parent", record("a"), record("b"))
    lanes = Lanes(Settings(), {"parent": Start(after="1")}, Start())
    stream.feed(lanes, 0.0)
    (turn,) = lanes.turns(0.0)
    assert positions([turn]) == ["b"]
    lanes.settle(turn, DONE, 0.0)
    stream.open("child", "parent")
    stream.put("child", record("c"))
    for _ in range(2):
        stream.feed(lanes, 0.0)
    assert positions(lanes.turns(0.0)) == ["c"]


def test_lanes_and_the_queues_of_one_lane_are_delivered_side_by_side() -> None:
    stream, lanes = Stream(), lanes_of(parallelization=10)
    for lane in ("one", "two"):
        stream.open(lane)
        stream.put(lane, *(record(f"{lane}-{key}", key=key) for key in KEYS))
    stream.feed(lanes, 0.0)
    assert len(lanes.turns(0.0)) == 2 * len(KEYS)


def test_other_settings_lose_no_record() -> None:
    stream, lanes = Stream(), lanes_of(parallelization=3)
    stream.open("lane")
    stream.put("lane", *(record(str(number), key=KEYS[number % 3]) for number in range(9)))
    stream.feed(lanes, 0.0)
    lanes.change(Settings(batch_size=4), 0.0)
    (turn,) = lanes.turns(0.0)
    assert len(turn.batch.records) == 4
    assert sorted(positions([turn])) != []


outcomes = st.sampled_from(["done", "failed", "reported", "not invoked"])
steps = st.lists(
    st.tuples(
        st.sampled_from(["put", "put", "deliver", "deliver", "split", "rewind"]),
        st.integers(0, 3),
        st.sampled_from(KEYS),
        outcomes,
    ),
    max_size=60,
)


class World:
    """A stream, a mapping, a function, and what the function has seen."""

    def __init__(self, chosen: Settings) -> None:
        self.chosen = chosen
        self.stream = Stream()
        self.stream.open("0")
        self.lanes = Lanes(chosen, {}, Start())
        self.now = 0.0
        self.put: list[SourceRecord] = []
        self.done: list[str] = []
        self.discarded: list[str] = []
        self.failures: dict[str, int] = defaultdict(int)
        self.attempts: dict[str, int] = defaultdict(int)
        self.rewound = False

    def step(self, kind: str, number: int, key: str, outcome: str) -> None:
        if kind == "put":
            made = record(str(len(self.put)), self.now, key)
            self.put.append(made)
            self.stream.put(self.lane_of(key), made)
        elif kind == "split":
            lane = self.lane_of(key)
            for child in ("l", "r"):
                self.stream.open(lane + child, lane)
        elif kind == "rewind":
            self.rewound = True
            self.lanes.rewind(number, self.now)
        else:
            self.deliver(outcome, number)

    def lane_of(self, key: str) -> str:
        """The open lane that a key's records go to."""
        lane = "0"
        while lane in self.stream.closed:
            lane += "l" if (KEYS.index(key) + len(lane)) % 2 else "r"
        return lane

    def deliver(self, outcome: str, number: int) -> None:
        self.stream.feed(self.lanes, self.now, most=5)
        for turn in self.lanes.turns(self.now):
            batch = turn.batch.records
            ended = self.ended(outcome, number % len(batch))
            last_done = len(batch) if ended is DONE else (ended.first_failed or 0)
            self.done += [each.position for each in batch[:last_done]]
            counts = ended.result is Result.FAILED
            for each in batch[last_done:]:
                self.failures[each.position] += counts
            for discard in self.lanes.settle(turn, ended, self.now):
                self.discarded += [each.position for each in discard.records]
        self.now += 61.0

    @staticmethod
    def ended(outcome: str, index: int) -> Outcome:
        if outcome == "reported":
            return Outcome(Result.FAILED, first_failed=index)
        return {"done": DONE, "failed": FAILED, "not invoked": NOT_INVOKED}[outcome]

    def finish(self) -> None:
        """Let everything succeed from now on, until there is nothing left; an idle lane shows by a few empty turns."""
        idle = 0
        while idle < 3:
            before = len(self.done) + len(self.discarded)
            self.deliver("done", 0)
            idle = 0 if len(self.done) + len(self.discarded) > before else idle + 1


mapping_settings = st.builds(
    Settings,
    batch_size=st.integers(1, 5),
    batching_seconds=st.sampled_from([0.0, 90.0]),
    parallelization=st.sampled_from([1, 3]),
    bisect=st.booleans(),
    retries=st.sampled_from([FOREVER, 0, 2]),
)


@settings(max_examples=150, deadline=None)
@given(mapping_settings, steps)
def test_every_record_is_delivered_or_given_up_and_none_twice(
    chosen: Settings, schedule: list[tuple[str, int, str, str]]
) -> None:
    world = World(chosen)
    for step in schedule:
        world.step(*step)
    world.finish()
    ended = world.done + world.discarded
    assert set(ended) == {each.position for each in world.put}
    if not world.rewound:
        assert len(ended) == len(world.put)
    if chosen.retries == FOREVER:
        assert world.discarded == []


@settings(max_examples=150, deadline=None)
@given(mapping_settings, steps)
def test_records_of_a_key_are_done_in_order_also_across_a_split(
    chosen: Settings, schedule: list[tuple[str, int, str, str]]
) -> None:
    world = World(chosen)
    for step in schedule:
        world.step(*step)
    world.finish()
    first: dict[str, int] = {}
    for place, position in enumerate(world.done):
        first.setdefault(position, place)
    for key in {each.key for each in world.put}:
        places = [
            first[each.position] for each in world.put if each.key == key and each.position in first
        ]
        assert places == sorted(places)


def outcomes_of(chosen: Settings, count: int, bad: set[int]) -> tuple[set[int], dict[int, int]]:
    """The records that are given up, and how often each was tried, by itself where batches are split."""
    stream, lanes = Stream(), Lanes(chosen, {}, Start())
    stream.open("lane")
    stream.put("lane", *(record(str(number)) for number in range(count)))
    tried: dict[int, int] = defaultdict(int)
    given_up: set[int] = set()
    now = 0.0
    stream.feed(lanes, now)
    while (due := lanes.due(now)) is not None:
        now = max(now, due)
        for turn in lanes.turns(now):
            numbers = [int(position) for position in positions([turn])]
            for number in numbers if len(numbers) == 1 or not chosen.bisect else ():
                tried[number] += 1
            outcome = FAILED if bad & set(numbers) else DONE
            for discard in lanes.settle(turn, outcome, now):
                given_up |= {int(each.position) for each in discard.records}
    return given_up, tried


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 4), st.integers(1, 12), st.integers(1, 12), st.data())
def test_with_splits_the_bad_records_alone_are_given_up(
    retries: int, size: int, count: int, data: st.DataObject
) -> None:
    bad = data.draw(st.sets(st.integers(0, count - 1)))
    chosen = Settings(batch_size=size, retries=retries, bisect=True)
    given_up, tried = outcomes_of(chosen, count, bad)
    assert given_up == bad
    assert {tried[number] for number in bad} <= {retries + 1}


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 4), st.integers(1, 12), st.integers(1, 12), st.data())
def test_without_splits_whole_batches_are_given_up(
    retries: int, size: int, count: int, data: st.DataObject
) -> None:
    bad = data.draw(st.sets(st.integers(0, count - 1)))
    given_up, tried = outcomes_of(Settings(batch_size=size, retries=retries), count, bad)
    batches = {number // size for number in bad}
    assert given_up == {number for number in range(count) if number // size in batches}
    assert {tried[number] for number in given_up} <= {retries + 1}
