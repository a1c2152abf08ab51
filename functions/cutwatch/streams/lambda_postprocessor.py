"""Postprocessing by a Lambda function: the event of an incident in, the fields that it adds out."""

import json
from collections.abc import Mapping
from time import sleep
from typing import Any

from cutwatch.errors import PostprocessorError, ServiceFault, Throttled
from cutwatch.streams.function_call import call

_PAUSES = (0.2, 1.0)


class LambdaPostprocessor:
    """A Lambda function that `Postprocessor` calls; `client` is boto3's for Lambda.

    The event's `id`, `change` and `severity` identify it: the function may get an event again.
    """

    def __init__(self, client: Any, function_arn: str) -> None:
        self._client = client
        self._function = function_arn

    def __call__(self, event: Mapping[str, Any]) -> Any:
        """Return the function's answer, after a few attempts if Lambda throttles or fails.

        Raises `PostprocessorError` if the function ended with an error or its answer is not JSON, and the errors of `clients`.
        """
        for pause in _PAUSES:
            try:
                return self._answer(event)
            except (Throttled, ServiceFault):
                sleep(pause)
        return self._answer(event)

    def _answer(self, event: Mapping[str, Any]) -> Any:
        answer = call(self._client, self._function, event, PostprocessorError)
        try:
            return json.loads(answer)
        except ValueError:
            raise PostprocessorError(f"{self._function}: the answer is not JSON") from None
