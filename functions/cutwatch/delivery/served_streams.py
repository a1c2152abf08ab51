"""Which stream each stack serves, and those that it served under other names."""

from dataclasses import dataclass
from datetime import datetime

from cutwatch.aws.dynamodb import Item, Table
from cutwatch.streams.retirement import STILL_WRITTEN
from cutwatch.timestamps import format_timestamp, parse_timestamp

_PARTITION = "STREAM_STACK"


@dataclass(frozen=True)
class Served:
    """The names under which a stack served its stream before; `is_settled` says that none is left to be looked at."""

    renamed: tuple[str, ...] = ()
    is_settled: bool = True


@dataclass(frozen=True)
class ServedStreams:
    """The items `STREAM_STACK / <stack>`, each with the name of a stream, the names before it, and since when."""

    table: Table

    def record(self, stack: str, stream: str, now: datetime) -> Served:
        """Record that a stack serves a stream; return the names before, once nobody can write for them any more.

        Names that another stack serves are left out. Raises `ConditionFailed` if another execution was faster.
        """
        items = {item["sk"]: item for item in self.table.query(_PARTITION)}
        own = items.pop(stack, None)
        if own is None or own["stream_name"] != stream:
            own = self._renamed(stack, stream, own, now)
        if not own["names_before"]:
            return Served()
        if now - parse_timestamp(own["renamed_at"]) <= STILL_WRITTEN:
            return Served(is_settled=False)
        others = {stream, *(item["stream_name"] for item in items.values())}
        return Served(tuple(n for n in own["names_before"] if n not in others), is_settled=False)

    def settle(self, stack: str, stream: str) -> None:
        """Forget the names before. Raises `ConditionFailed` if the stack serves another stream by now."""
        self.table.update(
            _PARTITION,
            stack,
            "SET names_before = :none",
            {"none": [], "stream": stream},
            "stream_name = :stream",
        )

    def _renamed(self, stack: str, stream: str, before: Item | None, now: datetime) -> Item:
        names = [*before["names_before"], before["stream_name"]] if before else []
        values = {"stream": stream, "names": names, "at": format_timestamp(now)}
        condition = "attribute_not_exists(stream_name)"
        if before:
            values["before"] = before["stream_name"]
            condition = "stream_name = :before"
        return self.table.update(
            _PARTITION,
            stack,
            "SET stream_name = :stream, names_before = :names, renamed_at = :at",
            values,
            condition,
        )
