"""The end of a run: its outcomes summarised, totals published, people and programs notified."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cutwatch.aws.s3 import Bucket
from cutwatch.notifications.detector_lines import StackPlace
from cutwatch.notifications.dispatch import Audience, announce
from cutwatch.publishing.totals import publish_failure, publish_totals
from cutwatch.registry.registry import Registry
from cutwatch.registry.run import Run
from cutwatch.runs.summary import summarize

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient


@dataclass(frozen=True)
class RunEnd:
    """Ends runs of a stack."""

    cloudwatch: "CloudWatchClient"
    registry: Registry
    bucket: Bucket
    audience: Audience
    place: StackPlace

    def summarize(
        self, run: Run, execution: str, reason: str | None, now: datetime, clock: datetime
    ) -> dict[str, Any]:
        """Return counts by status, `all_failed` and `notified`.

        `reason` says why a Map did not reach its detectors. `now` stays the same in all retries; `clock` is the present
        time, by which a notification lock expires. The failure of the run as a whole is published last, when people have
        been notified of it, and with the present time: waiting for the lock can take an hour, the alarm's window is minutes.
        """
        summary = summarize(self.registry, self.bucket, run, reason)
        counted = self.registry.runs.close(run, now)
        publish_totals(self.cloudwatch, self.place.namespace, summary, counted)
        notified = announce(
            self.audience, self.registry, self.place, summary, execution, now, clock
        )
        if summary.all_failed:
            publish_failure(self.cloudwatch, self.place.namespace, summary, self.place.name, clock)
        return summary.to_payload() | {"notified": notified}
