"""detectors.yaml: whatever is accepted travels through JSON and back, and is the same detector."""

import json

from cutwatch.detectors.detector import Detector
from cutwatch.detectors.detectors_file import parse_configuration
from cutwatch.errors import InvalidDetectors
from tests.fuzz.harness import Harness, names
from tests.fuzz.mutations import of_yaml
from tests.support.project import PROJECT

_SEEDS = (
    (PROJECT / "functions" / "detectors.yaml").read_bytes(),
    b"detectors:\n- {name: a, namespace: Shop, metric: Orders, statistic: Sum}\n",
    b"base: &b {namespace: Shop, statistic: Sum}\ndetectors:\n- {<<: *b, name: a, metric: Orders}\n",
    b"""engine: lambda
detectors:
- name: rate
  expression: 100 * errors / requests
  metrics:
    errors: {namespace: Shop, metric: Errors, statistic: Sum, dimensions: {Shop: north}}
    requests: {namespace: Shop, metric: Requests, statistic: Sum}
  exclude: [{start: 22:00, end: 06:00, days: [monday]}, {start: 2026-12-24T00:00, end: 2026-12-27}]
  minimum_deviation: {absolute: 5, relative: 0.1}
  cutoff: {method: training, sigmas: 2.5}
  features: [value, residual]
  time_zone: Europe/Berlin
- {name: port, namespace: Shop, metric: Opened, statistic: "TM(10%:90%)", dimensions: [{Name: Port, Value: "80"}]}
- {name: queue, for_each: Queue, limit: 5, namespace: Shop, metric: Waiting, statistic: p99.9}
""",
)


def check(data: bytes) -> None:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return
    try:
        configuration = parse_configuration(text)
    except InvalidDetectors as error:
        names(error, "detectors.yaml: ")
        return
    patterns = (template.pattern for template in configuration.templates)
    for detector in (*configuration.detectors, *patterns):
        travelled = json.loads(json.dumps(detector.to_payload(), allow_nan=False))
        assert Detector.from_payload(travelled) == detector
        assert Detector.from_payload(travelled).fingerprint == detector.fingerprint


DETECTORS_YAML = Harness(
    check,
    _SEEDS,
    regressions=(
        # A detector where the list of detectors should be.
        b"{name: a, metrics: p99, features: [value, residual]}",
        # Field names that cannot be shown, and names that break the line.
        b'{"engine": {"name": 1}, "detectxrs": [{"name": null}], "a\\u0009b\\u001b[2J": 1}',
        b'detectors: [{name: a, expression: b, metrics: {"m\\ny": {}}}]',
        b'detectors: [{name: a, expression: b, metrics: {"m\\ny": '
        b"{namespace: S, metric: M, statistic: Sum}}}]",
    ),
    words=(*Detector.__dataclass_fields__, "detectors:", "engine:", "for_each", ".inf", "!!", "&a"),
    mutation=of_yaml,
)
