"""Names of jobs: the same input gives the same name, so nothing starts twice."""

import re
from datetime import datetime

from cutwatch.aws.limits import SAGEMAKER_NAME_MAX_LENGTH

_FORBIDDEN = re.compile(r"[^a-z0-9]+")


def job_name(
    prefix: str, detector: str, scheduled_time: datetime, digest: str, attempt: int
) -> str:
    """Return `<prefix>-<detector>-<YYYYMMDDhhmm>-<digest>-<attempt>`, at most 63 characters, lower case.

    Detector and prefix are shortened to fit; the digest keeps shortened names distinct.
    """
    tail = f"-{scheduled_time:%Y%m%d%H%M}-{digest}-{attempt}"
    head = _FORBIDDEN.sub("-", f"{prefix}-{detector}".lower()).strip("-")
    return head[: SAGEMAKER_NAME_MAX_LENGTH - len(tail)].rstrip("-") + tail
