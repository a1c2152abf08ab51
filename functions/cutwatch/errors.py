"""The exceptions that state machines retry and catch by name."""


class CutwatchError(Exception):
    """Base of every error that Cutwatch raises on purpose; its text is what an operator reads."""


class AwsError(CutwatchError):
    """AWS refused a call. `code` is AWS's own error code."""

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
    """An account quota is used up, for example concurrent SageMaker instances: retried for long."""


class QuotaTooSmall(AwsError):
    """A request asks for more than the whole quota: waiting never helps."""

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
    """A conditional write found another state than it expected."""


class RejectedRequest(AwsError):
    """AWS says that the request is wrong; a retry would be refused again."""


class ClaimHeld(CutwatchError):
    """Another execution of the same run is telling what it found: waited for, longer than a claim lasts."""


class InvalidSetting(CutwatchError):
    """An environment variable of a function is missing or malformed."""


class InvalidInput(CutwatchError):
    """An event or a payload between states lacks something or holds something impossible."""


class InvalidDetectors(CutwatchError):
    """`detectors.yaml` has mistakes; the message lists every one of them."""


class TemplateExpansion(InvalidDetectors):
    """A template of `detectors.yaml` does not become detectors that can be watched."""


class ModelMissing(CutwatchError):
    """The registered model no longer exists."""


class MalformedScores(CutwatchError):
    """The scores of a job do not fit the rows that were sent."""


class MalformedObject(CutwatchError):
    """An object in S3 does not hold what was written there."""


class MalformedState(CutwatchError):
    """What lies where a learning forest's state should be is none."""


class AttemptsExhausted(CutwatchError):
    """Every attempt number of a job name is taken by a failed or stopped job."""


# Whatever a state machine's first retrier names: a second try may work.
TRANSIENT = (Throttled, ServiceFault, ConnectionLost)
# That retrier's MaxAttempts. `$$.State.RetryCount` counts the retries of all retriers of a state together, so whoever
# waits for this count may give up early where there are several, but never too late.
TRANSIENT_RETRIES = 6


def legible(name: object) -> str:
    """A name in an error's text: it may hold what would break the line, or move a terminal's cursor."""
    text = str(name)
    return text if text.isprintable() else ascii(text)
