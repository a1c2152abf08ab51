import numpy as np
import pytest

from localaws.api_response import ApiError
from localaws.cloudwatch.distributions import distribution_statistic
from localaws.cloudwatch.statistics import check_statistic

ONE_TO_TEN = np.arange(1.0, 11.0)


@pytest.mark.parametrize(
    ("statistic", "expected"),
    [
        ("p0", 1),
        ("p50", 5.5),
        ("p100", 10),
        ("tm90", 5),
        ("TM(10%:90%)", 5.5),
        ("TM(:90%)", 5),
        ("TM(90%:)", 10),
        ("TM(2:4)", 3.5),
        ("IQM", 5.5),
        ("wm90", 5.41),
        ("WM(10%:90%)", 5.5),
        ("tc80", 8),
        ("TC(2:4)", 2),
        ("TC(:4)", 4),
        ("ts80", 36),
        ("TS(80%:)", 19),
        ("TS(8:)", 19),
        ("PR(:3)", 30),
        ("PR(3:5)", 20),
        ("PR(100:200)", 0),
    ],
)
def test_a_statistic_of_the_numbers_from_one_to_ten(statistic: str, expected: float) -> None:
    found = distribution_statistic(statistic)(ONE_TO_TEN, np.ones(10))
    assert found == pytest.approx(expected, abs=0.01)


def test_repeated_samples_count_as_often_as_they_occurred() -> None:
    values, counts = np.array([1.0, 5.0]), np.array([9.0, 1.0])

    assert distribution_statistic("tm90")(values, counts) == 1
    assert distribution_statistic("PR(1:)")(values, counts) == 10
    assert distribution_statistic("TC(:1)")(values, counts) == 9


def test_one_sample_is_its_own_trimmed_mean() -> None:
    assert distribution_statistic("tm90")(np.array([7.0]), np.ones(1)) == pytest.approx(7)


def test_a_trimmed_mean_of_nothing_has_no_value() -> None:
    assert np.isnan(distribution_statistic("TM(100:200)")(ONE_TO_TEN, np.ones(10)))


@pytest.mark.parametrize(
    "statistic",
    [
        "p101",
        "p",
        "pr90",
        "PR(:)",
        "PR(1%:2%)",
        "WM(1:2)",
        "TM(2%:98)",
        "TM(98%:2%)",
        "TM(:101%)",
        "Mean",
    ],
)
def test_what_cloudwatch_does_not_have_is_refused(statistic: str) -> None:
    with pytest.raises(ApiError, match="not a valid statistic"):
        check_statistic(statistic)
