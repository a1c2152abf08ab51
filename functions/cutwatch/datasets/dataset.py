"""A dataset as it travels between states: where it is and how large, never its data."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from annotated_types import Ge, Len

from cutwatch.payloads import read, read_all

_Name = Annotated[str, Len(1)]


@dataclass(frozen=True)
class Dataset:
    """The stored feature rows of one detector in one run.

    `detector` is its name, `prefix` the S3 prefix, `digest` the part of names that identifies the window, `forest`
    the name of its training or scoring by a forest inside Lambda, `model` the model that scores it, None in a training. There
    are `rows` rows of `dimensions` values in `files` objects.
    """

    detector: _Name
    prefix: _Name
    digest: _Name
    forest: _Name
    dimensions: Annotated[int, Ge(1)]
    rows: Annotated[int, Ge(0)]
    files: Annotated[int, Ge(1)]
    model: str | None

    def to_payload(self) -> dict[str, Any]:
        """Return the payload that `from_payload` reads."""
        return asdict(self)

    @classmethod
    def from_payload(cls, payload: Any, field: str) -> "Dataset":
        """Read a payload; `field` names it in the `InvalidInput` that a malformed one raises."""
        return read(cls, payload, field)


def datasets_of(event: Mapping[str, Any]) -> list[Dataset]:
    """Read the datasets of a batch's event. Raises `InvalidInput`."""
    return read_all(Dataset, event["datasets"], "datasets")


def detector_of(dataset: Dataset) -> str:
    """Return the name of the dataset's detector."""
    return dataset.detector
