"""Trains the model of a log from past records in S3, or makes an earlier model current; a rule invokes it by schedule."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from cutwatch.delivery.log_trainer import log_trainer
from cutwatch.observability import Payload, logger, observed_batch
from cutwatch.settings import TrainLogSettings


@observed_batch
def handler(event: Any, has_time: Callable[[], bool]) -> Payload:  # noqa: ARG001 - a fit cannot end early
    """`force`, `roll_back` (true, or a version) -> `outcome` and the current model."""
    outcome = log_trainer(TrainLogSettings.from_env(), Path(__file__).parent).run(event)
    logger.info("model", result=outcome)
    return outcome
