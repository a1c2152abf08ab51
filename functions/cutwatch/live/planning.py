"""Planning: which live detectors there are now, with which models; the plan is made again every quarter of an hour."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cutwatch.aws.s3 import Bucket
from cutwatch.detectors.detectors_file import load_configuration
from cutwatch.detectors.templates import Watched, watched
from cutwatch.errors import CutwatchError
from cutwatch.live.live_store import LiveStore
from cutwatch.live.plan import (
    Plan,
    PlannedDetector,
    read_plan,
    read_planned,
    write_plan,
)
from cutwatch.observability import logger
from cutwatch.registry.detector_record import DetectorRecord
from cutwatch.registry.registry import Registry

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient


@dataclass(frozen=True)
class Planner:
    """Plans the detectors of the file `configuration`."""

    configuration: Path
    cloudwatch: "CloudWatchClient"
    bucket: Bucket
    registry: Registry
    store: LiveStore

    def plan(self, now: datetime) -> Plan:
        """Return the plan, made again if it is due. A plan that cannot be renewed is used as it is."""
        content = self.configuration.read_bytes()
        digest = hashlib.sha256(content).hexdigest()[:12]
        earlier = read_plan(self.bucket)
        if earlier and not earlier.is_due(now, digest):
            return earlier
        try:
            return self._renewed(earlier, Plan(now, digest, {}))
        except CutwatchError as error:
            if earlier is None:
                raise
            logger.error("plan not renewed", reason=f"{type(error).__name__}: {error}")
            return earlier

    def _renewed(self, earlier: Plan | None, plan: Plan) -> Plan:
        found = watched(self.cloudwatch, load_configuration(self.configuration))
        for name, reason in found.problems:
            logger.error("template not expanded", detector=name, reason=reason)
        live = [detector for detector in found.detectors if detector.live]
        kept = [*self._kept(found, earlier)]
        records = self.registry.detectors.all() if live or kept else {}
        planned = [
            PlannedDetector.of(each, records.get(each.name) or DetectorRecord(each.name))
            for each in (*live, *(each.detector for each in kept))
        ]
        return write_plan(self.bucket, planned, earlier, plan, self._is_empty)

    def _kept(self, found: Watched, earlier: Plan | None) -> Iterator[PlannedDetector]:
        """Yield the detectors of templates that cannot be expanded now; they are still in the file."""
        names = {each.name for each in found.detectors}
        for number in earlier.buckets if earlier and found.problems else ():
            for each in read_planned(self.bucket, number):
                if each.name not in names and found.may_include(each.name):
                    yield each

    def _is_empty(self, number: int) -> bool:
        return self.store.load(number).bucket.is_empty
