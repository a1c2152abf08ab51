"""The trained models of a stream in S3, and which of them is current.

`log-models/NAME/VERSION` holds a model with its features; it is named by its digest and never changes. `current-CONFIGURATION.json`
next to it names the current version of a configuration, and is written on condition that nobody else has written it meanwhile. They do not
expire as states do, which are written again and again.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from cutwatch.aws.s3 import Bucket
from cutwatch.detectors.stream import Stream
from cutwatch.errors import ConditionFailed, InvalidInput, MalformedObject, NotFound

if TYPE_CHECKING:
    from cutwatch.anomaly_models.fitted_model import FittedModel

# Versions that can be rolled back to; the models of older ones are deleted.
MOST_VERSIONS = 5
_ATTEMPTS = 5


@dataclass(frozen=True)
class ModelVersion:
    """A trained model: when it was trained, the time of its last training record, its records and cutoff.

    `anomalous` is the share of the records after the training's that exceed the cutoff, None if there were none. Times are in epoch seconds.
    """

    version: str
    trained_at: float
    trained_until: float
    records: int
    cutoff: float
    anomalous: float | None = None


@dataclass(frozen=True)
class CurrentModel:
    """The current version and those before it, in the order in which they became current, the newest first.

    `generation` grows with every change. `held` is True after a rollback: scheduled trainings do not replace the model.
    """

    generation: int = 0
    version: str = ""
    held: bool = False
    versions: tuple[ModelVersion, ...] = ()

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> "CurrentModel":
        """Read back what the register's object holds. Raises `KeyError` or `TypeError` if it is another."""
        versions = tuple(ModelVersion(**each) for each in payload["versions"])
        return cls(**{**payload, "versions": versions})

    @property
    def current(self) -> ModelVersion | None:
        """The entry of the current version; None before the first."""
        return next((each for each in self.versions if each.version == self.version), None)

    def with_model(self, given: ModelVersion) -> "CurrentModel":
        """Return the register after a model became current."""
        others = [each for each in self.versions if each.version != given.version]
        # After a rollback, versions that became current before this one are newer than it.
        others.sort(key=lambda each: each.version != self.version)
        kept = (given, *others)[:MOST_VERSIONS]
        return CurrentModel(self.generation + 1, given.version, held=False, versions=kept)

    def rolled_back(self, to: str = "") -> "CurrentModel":
        """Return the register with a version current again, the one before by default. Raises `InvalidInput`."""
        known = [each.version for each in self.versions]
        earlier = known[known.index(self.version) + 1 :] if self.version in known else known
        chosen = to or next(iter(earlier), "")
        if chosen not in known:
            names = ", ".join(known) or "none"
            raise InvalidInput(
                f"there is no model {to or 'before the current one'}; the stored versions are {names}"
            )
        return replace(self, generation=self.generation + 1, version=chosen, held=True)


@dataclass(frozen=True)
class ModelRegister:
    """The models of one stream's configuration."""

    bucket: Bucket
    stream: Stream

    @property
    def key(self) -> str:
        """Key of the object that names the current version."""
        # Models of other settings cannot score this configuration's records.
        configuration = replace(self.stream, model_version="").fingerprint
        return f"{current_prefix(self.stream.name)}{configuration}.json"

    def model_key(self, version: str) -> str:
        """Return the key of a model."""
        return f"log-models/{self.stream.name}/{version}"

    def read(self) -> CurrentModel:
        """Return the current model; generation 0 before the first. Raises `MalformedObject`."""
        return self._read()[0]

    def add(self, fitted: "FittedModel", entry: ModelVersion) -> CurrentModel:
        """Store a model and make it current; return the register as it is now."""
        self.bucket.write_bytes(self.model_key(entry.version), fitted.to_bytes())
        before, now = self._change(lambda current: current.with_model(entry))
        kept = {each.version for each in now.versions} | {self.stream.model_version}
        for each in before.versions:
            if each.version not in kept:
                self.bucket.delete(self.model_key(each.version))
        return now

    def roll_back(self, to: str = "") -> CurrentModel:
        """Make a stored version current again, and hold it; return the register as it is now. Raises `InvalidInput`."""
        chosen = to or self.read().rolled_back().version
        return self._change(lambda current: current.rolled_back(chosen))[1]

    def _change(
        self, change: Callable[[CurrentModel], CurrentModel]
    ) -> tuple[CurrentModel, CurrentModel]:
        """Change the register, however many others do so at the same time; return it before and after."""
        for attempt in range(1, _ATTEMPTS + 1):
            before, etag = self._read()
            now = change(before)
            try:
                self.bucket.put_if(self.key, json.dumps(asdict(now), indent=1).encode(), etag)
            except ConditionFailed:
                if attempt == _ATTEMPTS:
                    raise
                continue
            break
        return before, now

    def _read(self) -> tuple[CurrentModel, str | None]:
        try:
            content, etag = self.bucket.read_with_etag(self.key)
        except NotFound:
            return CurrentModel(), None
        try:
            return CurrentModel.from_payload(json.loads(content)), etag
        except (KeyError, TypeError, ValueError) as error:
            raise MalformedObject(
                f"{self.bucket.uri(self.key)} is not a register of models: {error!r}"
            ) from None


def current_prefix(stream: str) -> str:
    """Return the prefix of the objects that name the current models of a stream's configurations."""
    return f"log-models/{stream}/current-"
