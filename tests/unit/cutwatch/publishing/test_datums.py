import pytest

from cutwatch.publishing.datums import summary_datums
from tests.support.builders import NOON, an_outcome


@pytest.mark.parametrize("score", [None, 4.2])
def test_the_summary_is_stamped_now_and_has_a_score_only_if_there_is_one(
    score: float | None,
) -> None:
    datums = summary_datums(an_outcome(anomalous_datapoints=3, max_anomaly_score=score), NOON)

    values = {each["MetricName"]: each["Value"] for each in datums}
    assert values == {"AnomalousDatapoints": 3} | ({"MaxAnomalyScore": score} if score else {})
    assert {each["Timestamp"] for each in datums} == {NOON}
    assert all(each["Dimensions"] == [{"Name": "Detector", "Value": "orders"}] for each in datums)
