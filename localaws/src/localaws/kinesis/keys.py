"""The keys of encrypted streams: Kinesis uses them on behalf of the role that writes or reads."""

from collections.abc import Callable, Mapping

from localaws.api_response import ApiError
from localaws.callers import caller_of, role_of
from localaws.iam.keys import DECRYPT, GENERATE_DATA_KEY, key_arn
from localaws.iam.needs import Need
from localaws.iam.permissions import AccessDenied
from localaws.kinesis.stream import Stream

Demand = Callable[[str, Need], None]
_ACTIONS: Mapping[str, str] = {
    "GetRecords": DECRYPT,
    "PutRecord": GENERATE_DATA_KEY,
    "PutRecords": GENERATE_DATA_KEY,
}


class StreamKeys:
    """`demand` raises AccessDenied for a role without a right."""

    def __init__(self, region: str, demand: Demand) -> None:
        self._region = region
        self._demand = demand

    def check(self, access_key: str, operation: str, stream: Stream) -> None:
        """Refuse a call whose role may not use the stream's key; AWS's own key needs no right."""
        role = role_of(caller_of(access_key))
        key = key_arn(stream.key or "", self._region)
        action = _ACTIONS.get(operation)
        if role is None or key is None or action is None:
            return
        try:
            self._demand(role, Need(action, key))
        except AccessDenied as denied:
            raise ApiError("KMSAccessDeniedException", str(denied)) from denied
