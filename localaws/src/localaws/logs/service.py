"""The operations of CloudWatch Logs that MiniStack does not have."""

from collections.abc import Mapping
from typing import Any

from localaws.api_request import ApiRequest
from localaws.api_response import ApiError
from localaws.logs.filter_pattern import FilterPattern


class Logs:
    """TestMetricFilter."""

    def serves(self, operation: str) -> bool:
        return operation == "TestMetricFilter"

    def answer(self, request: ApiRequest) -> Mapping[str, Any]:
        parameters = request.parameters
        try:
            pattern = FilterPattern(parameters["filterPattern"])
        except ValueError as error:
            raise ApiError(
                "InvalidParameterException", f"Invalid filter pattern: {error}"
            ) from None
        return {
            "matches": [
                {
                    "eventNumber": number,
                    "eventMessage": message,
                    "extractedValues": pattern.extracted(message),
                }
                for number, message in enumerate(parameters["logEventMessages"], start=1)
                if pattern.matches(message)
            ]
        }
