"""The Kinesis Data Streams API; what is not implemented is refused by name."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

from localaws.api_request import ApiRequest
from localaws.api_response import ApiError
from localaws.callers import OPERATOR
from localaws.clock import Clock
from localaws.kinesis.keys import Demand, StreamKeys
from localaws.kinesis.reading import Reading
from localaws.kinesis.resharding import Resharding
from localaws.kinesis.settings import Settings
from localaws.kinesis.stream import Stream
from localaws.kinesis.streams import Streams, shard_page
from localaws.kinesis.tags import Tags
from localaws.kinesis.writing import Writing
from localaws.request_validation import validate

Operation = Callable[[Mapping[str, Any], Stream], Mapping[str, Any]]
# Parameters of operations served here that would have no effect.
_NOT_IMPLEMENTED = ("DryRun", "RecordDistributionStrategy", "StreamId", "WarmThroughputMiBps")
_OF_NO_STREAM = frozenset({"CreateStream", "ListStreams"})


class Kinesis:
    """Answers every request for Kinesis; a change of a stream's shards is done when it is answered."""

    def __init__(self, clock: Clock, region: str, demand: Demand) -> None:
        self._clock = clock
        self._keys = StreamKeys(region, demand)
        self._lock = threading.RLock()
        self.streams = streams = Streams(region, self.now)
        writing = Writing(self.now, self._written)
        self._reading = reading = Reading(streams, self.now)
        resharding = Resharding(self.now)
        settings = Settings(self.now)
        tags = Tags()
        # Called with the ARN of a stream that records have been put into.
        self.listeners: list[Callable[[str], None]] = []
        self._operations: dict[str, Operation] = {
            "DeleteStream": streams.delete,
            "DescribeStream": streams.describe,
            "DescribeStreamSummary": streams.summarize,
            "ListShards": streams.list_shards,
            "IncreaseStreamRetentionPeriod": settings.increase_retention,
            "DecreaseStreamRetentionPeriod": settings.decrease_retention,
            "UpdateStreamMode": settings.change_mode,
            "UpdateMaxRecordSize": settings.change_record_size,
            "StartStreamEncryption": settings.encrypt,
            "StopStreamEncryption": settings.decrypt,
            "PutRecord": writing.put_record,
            "PutRecords": writing.put_records,
            "GetShardIterator": reading.iterator,
            "GetRecords": reading.records,
            "SplitShard": resharding.split,
            "MergeShards": resharding.merge,
            "UpdateShardCount": resharding.resize,
            "AddTagsToStream": tags.add,
            "RemoveTagsFromStream": tags.remove,
            "ListTagsForStream": tags.list_of_stream,
            "TagResource": tags.add,
            "UntagResource": tags.remove,
            "ListTagsForResource": tags.list_of_resource,
        }

    def now(self) -> float:
        """Return the time in epoch seconds."""
        return self._clock.now().timestamp()

    def serves(self, operation: str) -> bool:  # noqa: ARG002 - there is no other Kinesis
        return True

    def answer(self, request: ApiRequest) -> Mapping[str, Any]:
        return self.call(request.operation, request.parameters, request.access_key)

    def call(
        self, operation: str, parameters: Mapping[str, Any], access_key: str = OPERATOR
    ) -> Mapping[str, Any]:
        """Do what a request asks for, checked as a request is."""
        if operation not in self._operations and operation not in _OF_NO_STREAM:
            raise ApiError(
                "UnknownOperationException", f"The local Kinesis does not implement {operation}."
            )
        for name in _NOT_IMPLEMENTED:
            if name in parameters:
                raise ApiError(
                    "InvalidArgumentException",
                    f"The local Kinesis does not implement {name} of {operation}.",
                )
        validate("kinesis", operation, parameters)
        with self._lock:
            if operation in _OF_NO_STREAM:
                return self._of_no_stream(operation, parameters)
            if operation == "ListShards" and "NextToken" in parameters:
                parameters = shard_page(parameters)
            stream = self._stream_of(operation, parameters)
            self._keys.check(access_key, operation, stream)
            stream.expire(self.now())
            return self._operations[operation](parameters, stream)

    def positions(self, arn: str) -> dict[str, str]:
        """Return the sequence number behind which each shard's next record will be; a closed shard has none to come."""
        with self._lock:
            return {
                shard.id: str(shard.last_number or max(shard.first_number, shard.newest_number()))
                for shard in self.streams.by_arn(arn).shards.values()
            }

    def _of_no_stream(self, operation: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        if operation == "CreateStream":
            return self.streams.create(parameters)
        return self.streams.list(parameters)

    def _stream_of(self, operation: str, parameters: Mapping[str, Any]) -> Stream:
        if operation == "GetRecords":
            return self._reading.stream_of(parameters)
        return self.streams.named(parameters)

    def _written(self, stream: Stream) -> None:
        for listener in self.listeners:
            listener(stream.arn)
