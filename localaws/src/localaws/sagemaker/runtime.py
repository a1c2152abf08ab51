"""The SageMaker runtime: requests to endpoints, answered by the forests of their variants."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from localaws.api_request import ApiRequest
from localaws.api_response import ApiError, ApiResponse
from localaws.clock import Clock
from localaws.embedded_ministack import ACCOUNT_ID
from localaws.job_outcomes import JobOutcome, OutcomeKind
from localaws.limits import ENDPOINT_PAYLOAD_MAX_BYTES, SERVERLESS_ENDPOINT_PAYLOAD_MAX_BYTES
from localaws.sagemaker import random_cut_forest
from localaws.sagemaker.behaviour import SageMakerBehaviour
from localaws.sagemaker.container_formats import ContainerError, read_rows, write_scores
from localaws.sagemaker.deployments import Fleet
from localaws.sagemaker.endpoints import Endpoints

_LONGEST_INVOCATION_SECONDS = 60
_GARBLED = b"<html>Service Unavailable</html>"


class SageMakerRuntime:
    """Answers InvokeEndpoint; the other operations of the runtime are refused by name."""

    def __init__(self, clock: Clock, behaviour: SageMakerBehaviour, endpoints: Endpoints) -> None:
        self._clock = clock
        self._behaviour = behaviour
        self._endpoints = endpoints

    def serves(self, operation: str) -> bool:  # noqa: ARG002 - there is no other runtime
        return True

    def answer(self, request: ApiRequest) -> ApiResponse:
        if request.operation != "InvokeEndpoint":
            raise ApiError(
                "UnknownOperationException",
                f"The local SageMaker runtime does not implement {request.operation}.",
            )
        name = request.parameters["EndpointName"]
        fleet = self._endpoints.serving(name)
        if fleet is None:
            raise ApiError("ValidationError", f"Endpoint {name} of account {ACCOUNT_ID} not found.")
        variant = _variant(fleet, request.headers.get("x-amzn-sagemaker-target-variant"))
        _check_size(request.body, variant)
        kind, body = self._invoke(name, fleet.forests[variant["VariantName"]], request)
        headers = {"content-type": kind, "x-amzn-invoked-production-variant": variant["VariantName"]}  # fmt: skip
        return ApiResponse(HTTPStatus.OK, headers, body)

    def _invoke(
        self, endpoint: str, forest: random_cut_forest.Forest, request: ApiRequest
    ) -> tuple[str, bytes]:
        outcome = self._behaviour.outcome_of(f"{endpoint}/invocations")
        self._clock.sleep(self._behaviour.invocation_seconds)
        if outcome.kind is OutcomeKind.HANG:
            self._clock.sleep(_LONGEST_INVOCATION_SECONDS)
            raise _model_error(endpoint, HTTPStatus.GATEWAY_TIMEOUT, "Your invocation timed out while waiting for a response from container")  # fmt: skip
        if outcome.kind is OutcomeKind.FAIL:
            raise _model_error(endpoint, HTTPStatus.INTERNAL_SERVER_ERROR, outcome.reason)
        try:
            rows = read_rows(
                request.headers.get("content-type", ""), request.body, forest[0].dimensions()
            )
            scores = _as_planned(random_cut_forest.score(forest, rows), outcome)
            kind, body = write_scores(request.headers.get("accept", ""), scores)
        except ContainerError as error:
            raise _model_error(endpoint, error.status, str(error)) from error
        return kind, _GARBLED if outcome.kind is OutcomeKind.GARBLE_OUTPUT else body


def _as_planned(scores: list[float], outcome: JobOutcome) -> list[float]:
    if outcome.kind is OutcomeKind.SHORTEN_OUTPUT:
        return scores[:-1]
    return [] if outcome.kind is OutcomeKind.LOSE_OUTPUT else scores


def _variant(fleet: Fleet, wanted: str | None) -> Mapping[str, Any]:
    """Return the variant that a request names, or the first with the largest weight."""
    variants = fleet.config.variants
    if wanted is None:
        return max(variants, key=lambda each: each.get("InitialVariantWeight", 1.0))
    for variant in variants:
        if variant["VariantName"] == wanted:
            return variant
    raise ApiError("ValidationError", f"Variant {wanted} not found for request.")


def _check_size(body: bytes, variant: Mapping[str, Any]) -> None:
    most = (
        SERVERLESS_ENDPOINT_PAYLOAD_MAX_BYTES
        if "ServerlessConfig" in variant
        else ENDPOINT_PAYLOAD_MAX_BYTES
    )
    if len(body) > most:
        message = f"HTTP content length exceeded {most} bytes."
        raise ApiError("413", message, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


def _model_error(endpoint: str, status: int, message: str) -> ApiError:
    log = f"/aws/sagemaker/Endpoints/{endpoint}"
    return ApiError(
        "ModelError",
        f'Received client error ({status}) from primary with message "{message}". See {log} in account '
        f"{ACCOUNT_ID} for more information.",
        HTTPStatus.FAILED_DEPENDENCY,
        {"OriginalStatusCode": int(status), "OriginalMessage": message, "LogStreamArn": log},
    )
