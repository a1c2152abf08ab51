import pytest

from cutwatch.detectors.statistic import is_total, statistic_problem


@pytest.mark.parametrize(
    "statistic",
    [
        *("SampleCount", "Average", "Sum", "Minimum", "Maximum", "IQM"),
        *("p0", "p50", "p99.9", "p95.0123456789", "p100", "p100.0"),
        *("tm90", "tm99.99", "wm98", "tc90", "ts90"),
        *("TM(2%:98%)", "TM(150:1000)", "TM(:95%)", "TM(5%:)", "TM(0.01%:99.99%)"),
        *("WM(10%:90%)", "WM(:98%)", "TC(0.005:0.030)", "TC(10%:90%)", "TS(80%:)", "TS(:100)"),
        *("PR(:300)", "PR(100:2000)", "PR(0.5:)"),
    ],
)
def test_what_cloudwatch_documents_is_accepted(statistic: str) -> None:
    assert statistic_problem(statistic) is None


@pytest.mark.parametrize(
    ("statistic", "problem"),
    [
        ("p101", "is not valid; expected SampleCount, Average"),
        ("p99.01234567891", "is not valid; expected"),
        ("p-1", "is not valid; expected"),
        ("pr90", "is not valid; expected"),
        ("TM()", "is not valid; expected"),
        ("TM(:)", "has no bounds; expected one or two, such as TM(:90%)"),
        ("PR(:)", "has no bounds; expected one or two, such as PR(:300)"),
        ("TM(low:high)", "a bound is a number or a percentage, with up to 10 decimal places"),
        ("TM(-1:5)", "a bound is a number or a percentage"),
        ("TM(2%:98)", "both bounds must be percentages, or both values of the metric"),
        ("PR(10%:90%)", "the bounds of PR are values of the metric, not percentages"),
        ("WM(1:5)", "the bounds of WM are percentages, such as WM(10%:90%)"),
        ("TM(2%:101%)", "percentages are between 0% and 100%"),
        ("TM(98%:2%)", "the lower bound must be below the upper"),
        ("TM(5:5)", "the lower bound must be below the upper"),
        ("IQM ", "is not valid; expected"),
        ("p\u0669\u0669", "is not valid; expected"),
    ],
)
def test_anything_else_is_refused_with_what_would_be_right(statistic: str, problem: str) -> None:
    told = statistic_problem(statistic)
    assert told is not None
    assert problem in told
    assert repr(statistic) in told


@pytest.mark.parametrize(
    ("statistic", "total"),
    [
        *((each, True) for each in ("Sum", "SampleCount", "TS(:99%)", "tc95")),
        *((each, False) for each in ("Average", "Maximum", "p99", "tm99", "WM(:98%)", "IQM")),
    ],
)
def test_sums_and_counts_grow_with_the_period(statistic: str, total: bool) -> None:
    assert is_total(statistic) is total
