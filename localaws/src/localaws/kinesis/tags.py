"""Tags of streams, by their older and their newer operations."""

from collections.abc import Mapping
from typing import Any

from localaws.kinesis.stream import Stream

_Parameters = Mapping[str, Any]


class Tags:
    def add(self, parameters: _Parameters, stream: Stream) -> dict[str, Any]:
        stream.tags.update(parameters["Tags"])
        return {}

    def remove(self, parameters: _Parameters, stream: Stream) -> dict[str, Any]:
        for key in parameters["TagKeys"]:
            stream.tags.pop(key, None)
        return {}

    def list_of_stream(self, _: _Parameters, stream: Stream) -> dict[str, Any]:
        return {"Tags": _listed(stream), "HasMoreTags": False}

    def list_of_resource(self, _: _Parameters, stream: Stream) -> dict[str, Any]:
        return {"Tags": _listed(stream)}


def _listed(stream: Stream) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in sorted(stream.tags.items())]
