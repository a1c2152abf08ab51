"""The state of one key between batches: forest, baseline, open windows, incident."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from math import inf
from typing import TYPE_CHECKING, Any
from zlib import crc32

from cutwatch.detectors.stream import Stream
from cutwatch.errors import MalformedState, NewerState, StateOfOtherConfiguration
from cutwatch.features.log_traffic import RecentTraffic
from cutwatch.streams.baseline import ScoreBaseline
from cutwatch.streams.expectation import RecentRows
from cutwatch.streams.forest import KeyForest
from cutwatch.streams.incidents import Incident
from cutwatch.streams.recurrence import RecurringPeaks
from cutwatch.streams.windows import OpenWindows

if TYPE_CHECKING:
    from cutwatch.streams.detector_forest import DetectorForest
    from cutwatch.streams.key_features import KeyFeatures
    from cutwatch.streams.key_model import KeyModel
    from cutwatch.streams.trained_model import TrainedModel

# Increase with every change of the format; a state of a newer version is refused.
SCHEMA = 2
# A state without features; it has no third part.
_WITHOUT_FEATURES = 1
_MAGIC = b"cutwatch-stream"


@dataclass(slots=True)
class KeyState:
    """Everything that a key's next record depends on.

    `forest` is the key's model, whatever its kind, `model` the version of the trained model that it began with, `traffic` that of a
    log's requests.
    `step_limits` are the steps by column that reach the cutoff, `peaks` the severities that may recur.
    `newest` is the newest event time in epoch seconds, `lanes` has that of each lane that is not idle, `normal_rows` the number of normal rows since the incident's last
    anomalous one, `exceeding` the times of rows that count towards the next incident. `seen` is the arrival of the newest
    record, `due` the time from which the key has something to close if no record arrives until then; infinite if it has not.
    """

    key: str
    newest: float
    forest: "KeyForest | KeyModel"
    recent: RecentRows
    baseline: ScoreBaseline = field(default_factory=ScoreBaseline)
    windows: OpenWindows = field(default_factory=OpenWindows)
    incident: Incident | None = None
    normal_rows: int = 0
    exceeding: list[float] = field(default_factory=list)
    seen: float = 0.0
    due: float = inf
    traffic: RecentTraffic = field(default_factory=RecentTraffic)
    step_limits: list[float] = field(default_factory=list)
    peaks: RecurringPeaks = field(default_factory=RecurringPeaks)
    model: str = ""
    lanes: dict[str, float] = field(default_factory=dict)
    features: "KeyFeatures | None" = None

    @classmethod
    def of_new_key(
        cls,
        stream: Stream,
        key: str,
        time: float,
        trained: "TrainedModel | None" = None,
        first: "DetectorForest | None" = None,
    ) -> "KeyState":
        """Return the state of a key whose first record has this event time; `first` is the forest to begin with."""
        recent = RecentRows(len(stream.columns))
        if first is not None and not first.is_missing:
            baseline = first.baseline_of_key()
            return cls(key, time, first.of_key(stream), recent, baseline, model=first.model)
        if trained is None:
            state = cls(key, time, KeyForest.untrained(stream, key), recent)
            if stream.feature_names:
                features, forest = _features(), state.forest
                state.features = features.untrained(stream, key, forest, state.baseline)
            return state
        return cls(key, time, trained.of_key(), recent, model=trained.version)

    def begin_again(self, stream: Stream, trained: "TrainedModel") -> None:
        """Take a trained model in place of the one before; windows, traffic and the incident go on."""
        self.forest = trained.of_key()
        self.recent = RecentRows(len(stream.columns))
        self.model = trained.version

    def score_with(self, trained: "TrainedModel") -> None:
        """Score with a trained model that all keys share; nothing begins again."""
        learned, self.forest = self.forest.learned, trained.of_key()
        self.forest.learned = learned

    def to_bytes(self, stream: Stream) -> bytes:
        """Return a line with schema version and checksum, a line of JSON, the recent rows and the forest.

        Equal states may differ in bytes: the forest stores how often rows repeat in a hash map, which has no order.
        """
        forest, latest = self.forest.to_parts()
        recent = self.recent.values.tobytes()
        header = {
            "config": stream.fingerprint,
            "key": self.key,
            "newest": self.newest,
            "learned": self.forest.learned,
            "latest": latest,
            "rows": self.recent.count,
            "baseline": self.baseline.to_payload(),
            "windows": self.windows.to_payload(),
            "incident": self.incident.to_payload() if self.incident else None,
            "normal_rows": self.normal_rows,
            "exceeding": self.exceeding,
            "seen": self.seen,
            "traffic": self.traffic.to_payload() if stream.log else None,
            "step_limits": self.step_limits,
            "peaks": self.peaks.to_payload(),
            "due": None if self.due == inf else self.due,
            "model": self.model,
            "lanes": self.lanes,
            "lengths": [len(recent), len(forest)],
        }
        if isinstance(self.forest, KeyForest) and self.forest.scale is not None:
            header["scale"] = self.forest.scale
        if self.features is None:
            return _content(header, recent, forest)
        features, header["features"] = self.features.to_parts()
        header["lengths"] = [len(recent), len(forest), len(features)]
        return _content(header, recent, forest, features)

    @classmethod
    def from_bytes(cls, content: bytes, stream: Stream) -> "KeyState":
        """Read back what `to_bytes` returned; the state continues exactly where that one was.

        Raises `MalformedState` for a newer schema version and for damaged content, and `StateOfOtherConfiguration` if the
        stream's declaration was changed since.
        """
        header, recent, forest, features = _parts(content)
        if header["config"] != stream.fingerprint:
            raise StateOfOtherConfiguration(
                f"the state of key {header['key']!r} was made with configuration {header['config']}; stream "
                f"{stream.name!r} now has {stream.fingerprint}"
            )
        try:
            state = cls._restored(header, recent, forest, stream)
            if stream.feature_names:
                state.features = _features().from_parts(
                    features, header["features"], stream, state.forest, state.baseline
                )
        except Exception as error:  # the forest raises errors of its own
            raise MalformedState(f"not a state of a stream's key: {error}") from error
        return state

    @classmethod
    def _restored(
        cls, header: Mapping[str, Any], recent: bytes, forest: bytes, stream: Stream
    ) -> "KeyState":
        incident = header["incident"]
        return cls(
            key=header["key"],
            newest=header["newest"],
            forest=_model(header, forest, stream),
            recent=RecentRows(len(stream.columns), header["rows"], recent),
            baseline=ScoreBaseline.from_payload(header["baseline"]),
            windows=OpenWindows.from_payload(header["windows"]),
            incident=Incident.from_payload(incident) if incident else None,
            normal_rows=header["normal_rows"],
            exceeding=header["exceeding"],
            seen=header["seen"],
            due=inf if header["due"] is None else header["due"],
            traffic=RecentTraffic.from_payload(header["traffic"])
            if header.get("traffic")
            else RecentTraffic(),
            # States of earlier versions lack them.
            step_limits=header.get("step_limits", []),
            peaks=RecurringPeaks.from_payload(header["peaks"])
            if "peaks" in header
            else RecurringPeaks(),
            model=header.get("model", stream.model_version),
            lanes=header.get("lanes", {}),
        )


def without_incident(content: bytes) -> tuple[bytes, Incident | None]:
    """Return a stored state without its open incident, and that incident; the forest is not read.

    Raises `MalformedState`.
    """
    header, *parts = _parts(content)
    if header["incident"] is None:
        return content, None
    incident = Incident.from_payload(header["incident"])
    return _content({**header, "incident": None}, *parts), incident


def _content(
    header: Mapping[str, Any], recent: bytes, forest: bytes, features: bytes = b""
) -> bytes:
    line = json.dumps(header).encode() + b"\n"
    checksum = crc32(features, crc32(forest, crc32(recent, crc32(line))))
    schema = SCHEMA if features else _WITHOUT_FEATURES
    first = b"%s %d %d\n" % (_MAGIC, schema, checksum)
    return b"".join([first, line, recent, forest, features])


def _features() -> Any:
    # Profiles need numpy, which takes long to import.
    return import_module("cutwatch.streams.key_features").KeyFeatures


def _model(header: Mapping[str, Any], content: bytes, stream: Stream) -> "KeyForest | KeyModel":
    if stream.model == "random_cut_forest":
        scale = tuple(header["scale"]) if "scale" in header else None
        return KeyForest.from_parts(content, header["latest"], stream, header["learned"], scale)
    # Trained models need numpy, which takes long to import.
    key_model: type[KeyModel] = import_module("cutwatch.streams.key_model").KeyModel
    return key_model.from_parts(content, header["learned"])


def _parts(content: bytes) -> tuple[Mapping[str, Any], bytes, bytes, bytes]:
    """Check the first line; return the header, the recent rows, the forest and the features, if there are any."""
    first, line, states = [*content.split(b"\n", 2), b"", b""][:3]
    words = first.split(b" ")
    if len(words) != 3 or words[0] != _MAGIC or not all(word.isdigit() for word in words[1:]):  # noqa: PLR2004 - magic, version, checksum
        raise MalformedState("not a state of a stream's key: the first line is another")
    version, checksum = map(int, words[1:])
    if version > SCHEMA:
        raise NewerState(
            f"the state has schema version {version}, and this version of Cutwatch reads up to {SCHEMA}; "
            "deploy the version that wrote it, or a newer one"
        )
    if crc32(states, crc32(line + b"\n")) != checksum:
        raise MalformedState("the state is damaged: its checksum does not match its content")
    header = json.loads(line)
    recent, forest, *_ = header["lengths"]
    end = recent + forest
    return header, states[:recent], states[recent:end], states[end:]
