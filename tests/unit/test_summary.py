import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutwatch.aws_limits import SNS_MESSAGE_MAX_BYTES, SNS_SUBJECT_MAX_LENGTH
from cutwatch.outcomes import AnomalyEvent, Outcome
from cutwatch.runs import Run
from cutwatch.summary import Summary, message, subject
from tests.builders import a_run, an_outcome

REGION = "eu-central-1"
NINE, TEN_PAST = "2026-11-02T09:00:00Z", "2026-11-02T09:10:00Z"
SPIKE = AnomalyEvent(
    f"orders:{NINE}", NINE, TEN_PAST, NINE, 3, 3.25, 4.2, 912.4, 100.0, 90.0, 110.5, "change"
)
POINT = AnomalyEvent("orders:8", "2026-11-02T08:00:00Z", "2026-11-02T08:00:00Z", NINE, 1, 1.04, 3.5)
SILENCE = AnomalyEvent("orders:7", "2026-11-02T07:00:00Z", "2026-11-02T07:30:00Z", NINE, 7)

ORDERS = an_outcome(
    "orders",
    "PUBLISHED",
    "3 new events, 11 of 288 datapoints anomalous",
    anomalous_datapoints=11,
    new_events=3,
    events=(SILENCE, SPIKE, POINT),
)
QUIET = an_outcome("refunds", "PUBLISHED", "0 of 288 datapoints anomalous")
FAILED = an_outcome("visits", "FAILED", "Throttled: slow down")
NO_DATA = an_outcome("silent", "NO_DATA", "CloudWatch has no datapoints")


def summary(*outcomes: Outcome, run: Run | None = None) -> Summary:
    return Summary(run or a_run(), outcomes)


def test_the_message_says_what_when_and_how_far_then_what_failed_and_why() -> None:
    assert message(summary(QUIET, ORDERS, FAILED), REGION) == (
        "Transform run of 2026-11-02 12:00 UTC.\n"
        "\n"
        "orders: 3 new events, 11 of 288 datapoints anomalous\n"
        "  2026-11-02 07:00 UTC to 2026-11-02 07:30 UTC: no data\n"
        "  2026-11-02 09:00 UTC to 2026-11-02 09:10 UTC: high severity, 3.2 times the cutoff; "
        "value 912.4, usually 100 (90 to 110.5); its change stood out\n"
        "  2026-11-02 08:00 UTC: low severity, 1.0 times the cutoff\n"
        "\n"
        "Failed:\n"
        "  visits: Throttled: slow down\n"
        "\n"
        "https://eu-central-1.console.aws.amazon.com/cloudwatch/home?region=eu-central-1#metricsV2:"
    )


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([ORDERS], "Cutwatch: anomalies in orders"),
        ([FAILED], "Cutwatch: transform failed for 1 detector"),
        ([FAILED, FAILED, QUIET], "Cutwatch: transform failed for 2 detectors"),
        (
            [QUIET, ORDERS, FAILED, ORDERS],
            "Cutwatch: anomalies in orders and 1 more; transform failed for 1 detector",
        ),
    ],
)
def test_the_subject_says_what_matters(outcomes: list[Outcome], expected: str) -> None:
    assert subject(summary(*outcomes)) == expected


names = st.text(string.ascii_letters + string.digits + "._-", min_size=1, max_size=64)
found = st.builds(
    lambda name, count, text: an_outcome(name, message=text, new_events=count, events=(SPIKE,) * 20),
    names, st.integers(1, 9), st.text(max_size=50),
)  # fmt: skip
failed = st.builds(
    lambda name, text: an_outcome(name, "FAILED", text), names, st.text(max_size=500)
)


@given(st.lists(found | failed, min_size=1, max_size=60))
def test_subject_and_message_fit_whatever_happened(outcomes: list[Outcome]) -> None:
    result = summary(*outcomes)

    assert 0 < len(subject(result)) <= SNS_SUBJECT_MAX_LENGTH
    assert "\n" not in subject(result)
    assert subject(result).isascii()
    assert len(message(result, REGION).encode()) <= SNS_MESSAGE_MAX_BYTES


def test_a_long_list_is_cut_and_says_so() -> None:
    text = message(summary(*[an_outcome(f"d{n}", "FAILED") for n in range(40)]), REGION)
    assert "and 10 more detectors that failed" in text

    text = message(summary(*[an_outcome(f"d{n}", new_events=1) for n in range(31)]), REGION)
    assert "and 1 more detectors with anomalies" in text


def test_a_detector_with_many_anomalies_shows_the_first_five() -> None:
    many = an_outcome(new_events=12, events=(POINT,) * 12)

    text = message(summary(many), REGION)

    assert text.count("08:00 UTC: low severity") == 5
    assert "  and 7 more" in text


def test_the_payload_counts_and_names_the_failures() -> None:
    assert summary(ORDERS, QUIET, FAILED, NO_DATA).to_payload() == {
        "detectors": 4,
        "statuses": {"PUBLISHED": 2, "FAILED": 1, "NO_DATA": 1},
        "anomalous_datapoints": 11,
        "new_events": 3,
        "all_failed": False,
        "failures": [{"detector": "visits", "reason": "Throttled: slow down"}],
    }


@pytest.mark.parametrize(
    ("outcomes", "all_failed"),
    [([FAILED, FAILED], True), ([FAILED, NO_DATA], False), ([QUIET], False), ([], False)],
)
def test_only_a_run_in_which_nothing_worked_has_failed(
    outcomes: list[Outcome], all_failed: Any
) -> None:
    assert summary(*outcomes).all_failed is all_failed


def test_a_run_without_detectors_has_nothing_to_say() -> None:
    assert summary().to_payload()["detectors"] == 0
    assert not summary().failed
    assert not summary().anomalous


def test_an_event_that_was_told_before_is_no_news() -> None:
    continuing = an_outcome(anomalous_datapoints=12, new_events=0)
    assert summary(continuing).news == set()


def test_the_detector_with_most_events_comes_first() -> None:
    few = an_outcome("few", new_events=1)
    assert [each.detector for each in summary(few, QUIET, ORDERS).anomalous] == ["orders", "few"]
