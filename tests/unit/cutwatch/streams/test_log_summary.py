import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from cutwatch.detectors.stream import Model
from cutwatch.reports.hour_report import HourReport
from cutwatch.streams.batch import batch_summaries
from cutwatch.streams.key_bucket import KeyBucket
from cutwatch.streams.log_summary import MOST_DESCRIBED, most_severe, summaries
from cutwatch.streams.record import RawRecord
from cutwatch.streams.scoring import StreamScorer
from tests.support.hour_reports import an_anomaly
from tests.unit.cutwatch.streams.test_scoring_of_logs import STREAMS, records, trained

KIND: Model = "one_class_svm"
STREAM = STREAMS[KIND]
RECORDS = [*records(), RawRecord(b"no log line", "log-0", 601, records()[-1].arrival)]


def summaries_of(given: list[RawRecord], batch: int) -> Iterator[dict[str, Any]]:
    features = trained(KIND).features
    assert features is not None
    scorer, bucket = StreamScorer(STREAM, trained=trained(KIND)), KeyBucket.empty(STREAM, 0)
    for start in range(0, len(given), batch):
        before = {lane: position for lane, (position, _) in bucket.applied.items()}
        result = scorer.score(bucket, scorer.by_bucket(given[start : start + batch])[0])
        rejected = zip(result.rejected, result.rejected_arrivals, strict=True)
        yield from summaries(
            "shop", "0", before, result.rows, result.events, rejected, result.late_arrivals, features
        )  # fmt: skip


def report_of(batch: int) -> dict[str, Any]:
    report: HourReport | None = None
    for summary in summaries_of(RECORDS, batch):
        report = report or HourReport("shop", summary["hour"])
        assert report.add(json.loads(json.dumps(summary)))
    assert report is not None
    return report.to_payload()


def comparable(report: dict[str, Any]) -> dict[str, Any]:
    """Return a report without its ids, and with sums of seconds to four digits: they are added in another order."""
    rounded = json.loads(json.dumps(report), parse_float=lambda text: round(float(text), 4))
    return {name: value for name, value in rounded.items() if name != "ids"}


def test_every_record_is_counted_once_whatever_the_batches() -> None:
    whole = report_of(1_000)
    assert whole["total"]["records"] + sum(whole["rejected"].values()) + whole["late"] == 602
    assert whole["rejected"] == {"not JSON": 1}
    assert comparable(report_of(50)) == comparable(whole)


def test_the_same_batch_has_the_same_ids() -> None:
    first, again = ([each["id"] for each in summaries_of(RECORDS, 100)] for _ in range(2))
    assert first == again
    assert len(set(first)) == len(first)


def test_the_first_batches_of_two_configurations_have_different_ids() -> None:
    """A report leaves out a summary whose id it knows, and both begin without positions, maybe in the same hour."""
    found: list[set[str]] = []
    for stream in (STREAM, replace(STREAM, time_zone="Europe/Berlin")):
        scorer, bucket = StreamScorer(stream, trained=trained(KIND)), KeyBucket.empty(stream, 0)
        result = scorer.score(bucket, scorer.by_bucket(RECORDS[:50])[0])
        found.append({each["id"] for each in batch_summaries(scorer, 0, {}, result)})
    assert found[0]
    assert not found[0] & found[1]


def test_an_anomaly_has_its_request_and_reasons_but_not_its_record() -> None:
    slow = next(each for each in report_of(1_000)["anomalies"] if each["id"] == "log-0:500")
    assert (slow["method"], slow["path"], slow["response_time"]) == ("POST", "/cart", 8.0)
    assert slow["reasons"][0].startswith("`POST /cart` took 8 s, usually")
    assert slow["column"] in ("response_time", "response_time_of_path")


def test_paths_are_templates() -> None:
    paths = set(report_of(1_000)["paths"])
    assert paths == {"/products/{id}", "/cart", "/search", "/orders/{id}/items"}


def test_each_reason_keeps_its_most_severe_anomalies() -> None:
    given = [an_anomaly(f"{n}", times_cutoff=float(n), column="ab"[n % 2]) for n in range(100)]
    kept = most_severe(given, MOST_DESCRIBED)
    assert len(kept) == 2 * MOST_DESCRIBED
    assert [each["id"] for each in kept[:3]] == ["99", "98", "97"]


def test_a_summary_fits_into_a_message() -> None:
    largest = max(len(json.dumps(each)) for each in summaries_of(RECORDS, 1_000))
    assert largest < 100_000
