"""Exceptions that state machines retry and catch by name."""


class CutwatchError(Exception):
    """Base of all expected errors; the text is for operators."""


class AwsError(CutwatchError):
    """AWS rejected a call. `code` is AWS's own error code."""

    def __init__(self, operation: str, code: str, message: str) -> None:
        super().__init__(f"{operation}: {message} ({code})")
        self.operation = operation
        self.code = code


class Throttled(AwsError):
    """Too many requests: transient, retried with backoff and jitter."""


class ServiceFault(AwsError):
    """The service failed on its side (5xx): transient."""


class ConnectionLost(AwsError):
    """No answer arrived; the call may or may not have worked: transient."""


class QuotaExceeded(AwsError):
    """An account quota is used up, for example concurrent SageMaker instances: retried for hours."""


class QuotaTooSmall(AwsError):
    """A request exceeds the whole quota: waiting never helps."""

    def __init__(self, operation: str, code: str, message: str) -> None:
        where = "https://console.aws.amazon.com/servicequotas/home/services/sagemaker/quotas"
        super().__init__(
            operation,
            code,
            f"{message} Request an increase at {where}, or choose another instance type",
        )


class NameInUse(AwsError):
    """A job of this name exists already."""


class AccessDenied(AwsError):
    """A role lacks a permission."""


class NotFound(AwsError):
    """The named resource does not exist."""


class ConditionFailed(AwsError):
    """A conditional write found an unexpected state."""


class RejectedRequest(AwsError):
    """AWS rejects the request as invalid; a retry would fail again."""


class ClaimHeld(CutwatchError):
    """Another execution holds the notification lock; Step Functions retries until it expires."""


class InvalidSetting(CutwatchError):
    """An environment variable of a function is missing or malformed."""


class InvalidInput(CutwatchError):
    """An event or a payload between states is incomplete or invalid."""


class InvalidDetectors(CutwatchError):
    """`detectors.yaml` is invalid; the message lists every error."""


class TemplateExpansion(InvalidDetectors):
    """A detector template cannot be expanded to valid detectors."""


class ModelMissing(CutwatchError):
    """The registered model no longer exists."""


class CutoffMissing(CutwatchError):
    """An endpoint's variant has no cutoff of its own: its scores say nothing."""


class DeploymentUnderWay(CutwatchError):
    """Another model is being deployed to the endpoint; Step Functions retries until that has ended."""


class PreparationRefused(CutwatchError):
    """A table's items cannot become training data: too many, too few, or rejected."""


class TableTooLarge(PreparationRefused):
    """A table is too large for a function: the Glue job reads it."""


class MalformedScores(CutwatchError):
    """The scores of a job do not fit the rows that were sent."""


class MalformedObject(CutwatchError):
    """An S3 object does not have the expected content."""


class MalformedState(CutwatchError):
    """A checkpoint of a learning forest is not valid."""


class NewerState(MalformedState):
    """A later version of Cutwatch wrote the state: that version must read it."""


class StateOfOtherConfiguration(MalformedState):
    """The state of a stream's key was made with another configuration of the stream."""


class TrainingRefused(CutwatchError):
    """A new model would call too many of the newest records anomalous: the model before stays current."""


class PreprocessorError(CutwatchError):
    """A stream's Lambda preprocessor ended with an error or answered something else: the batch is tried again."""


class PostprocessorError(CutwatchError):
    """A stream's Lambda postprocessor ended with an error or answered something else than JSON: the event says so."""


class InvalidReference(CutwatchError):
    """The reference data of a stream cannot be read."""


class AttemptsExhausted(CutwatchError):
    """Every attempt number of a job name is taken by a failed or stopped job."""


# Errors of a state machine's first retrier: another attempt may succeed.
TRANSIENT = (Throttled, ServiceFault, ConnectionLost)
# That retrier's MaxAttempts. `$$.State.RetryCount` counts the retries of all retriers of a state together, so code that
# waits for this count may give up early if there are several, but never too late.
TRANSIENT_RETRIES = 6


def legible(name: object) -> str:
    """Make a name safe for an error's text: control characters could break the line or move a terminal's cursor."""
    text = str(name)
    return text if text.isprintable() else ascii(text)
