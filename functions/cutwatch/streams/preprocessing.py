"""Preprocessing of records before they are decoded, by a Python function or, in `lambda_preprocessor`, a Lambda function."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from cutwatch.streams.record import Content, RawRecord, Reason, Rejected


class Preprocessed(NamedTuple):
    """Contents that a record became, none if it was dropped, or the reason why it is rejected."""

    contents: tuple[Content, ...] = ()
    rejected: Rejected | None = None


class Preprocessor(Protocol):
    """Preprocessing of a batch. Equal records have equal outcomes: a batch may come again."""

    def process(self, records: Sequence[RawRecord]) -> Sequence[Preprocessed]:
        """Return the outcome of each record, in their order. Raises `CutwatchError` if the batch has to be tried again."""


class PythonPreprocessor:
    """A function from a record's bytes to its fields: a dict, a list of dicts for several records, or None to drop it."""

    def __init__(self, function: Callable[[bytes], Any]) -> None:
        self._function = function

    def process(self, records: Sequence[RawRecord]) -> Sequence[Preprocessed]:
        """Call the function for each record; an exception rejects that record."""
        return [self._outcome(record) for record in records]

    def _outcome(self, record: RawRecord) -> Preprocessed:
        try:
            answer = self._function(record.data)
        except Exception as error:  # noqa: BLE001 - a defect of the function costs one record
            return rejected(record, Reason.PREPROCESSOR_FAILED, _place_of(error))
        contents = [] if answer is None else answer if isinstance(answer, list) else [answer]
        if not all(isinstance(each, dict) for each in contents):
            detail = f"the function returned {type(answer).__name__}; expected a dict, a list of dicts or None"
            return rejected(record, Reason.PREPROCESSOR_ANSWER, detail)
        return Preprocessed(tuple(contents))


def rejected(record: RawRecord, reason: Reason, detail: str) -> Preprocessed:
    """Return the outcome of a record that preprocessing rejects."""
    return Preprocessed((), Rejected(reason, detail, record.lane, record.position))


def _place_of(error: Exception) -> str:
    """Return type and line of an error; its text may have the record's content."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    line = f" in line {place.tb_lineno}" if place is not None else ""
    return f"the function raised {type(error).__name__}{line}"
