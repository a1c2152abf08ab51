import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cutwatch.detectors.detector import CutoffRule
from cutwatch.detectors.detectors_file import load_configuration, parse_configuration
from cutwatch.detectors.exclusions import Exclusion
from cutwatch.errors import InvalidDetectors
from tests.support.project import PROJECT

ORDERS: dict[str, Any] = {
    "name": "orders",
    "namespace": "Shop",
    "metric": "Orders",
    "statistic": "Sum",
}


def document(*detectors: Any) -> str:
    return yaml.safe_dump({"detectors": list(detectors)})


def mistakes_with_lines(text: str) -> list[str]:
    with pytest.raises(InvalidDetectors) as refused:
        parse_configuration(text)
    return str(refused.value).splitlines()


def mistakes(text: str) -> list[str]:
    return [re.sub(r"(?<=: )line \d+: ", "", line, count=1) for line in mistakes_with_lines(text)]


def test_a_detector_needs_a_name_and_a_metric_and_has_defaults_for_the_rest() -> None:
    [detector] = parse_configuration(document(ORDERS)).detectors

    assert (detector.name, detector.metric_label) == ("orders", "Shop Orders, Sum")
    assert (detector.period, detector.missing_data, detector.history_days) == (300, "ignore", None)
    assert detector.cutoff == CutoffRule("adaptive", None)


def test_detectors_keep_the_order_of_the_file() -> None:
    text = document(*({**ORDERS, "name": name} for name in ("b", "a", "c")))
    assert [detector.name for detector in parse_configuration(text).detectors] == ["b", "a", "c"]


def test_the_shipped_file_is_valid_and_watches_what_every_account_has() -> None:
    [detector] = load_configuration(PROJECT / "functions" / "detectors.yaml").detectors
    assert detector.metric_label == "AWS/Lambda Invocations, Sum"


@pytest.mark.parametrize(
    ("change", "mistake"),
    [
        (
            {"missing_data": "nothing"},
            "missing_data: 'nothing' is not allowed; expected 'ignore', 'zero', 'previous' or 'anomalous'",
        ),
        (
            {"cutoff": {"method": "best"}},
            "cutoff.method: 'best' is not allowed; expected 'adaptive', 'training' or 'window'",
        ),
        ({"cutoff": {"sigmas": 0}}, "cutoff.sigmas: 0: input should be greater than 0"),
        ({"period": 90}, "period: 90 must be a multiple of 60 seconds from 60 to 86400"),
        (
            {"period": 420},
            "period: CloudWatch keeps no datapoints of 420 seconds: periods above 300 are multiples of 300; the "
            "nearest are 300 and 600",
        ),
        (
            {"period": 5_400},
            "period: CloudWatch keeps no datapoints of 5400 seconds: periods above 3600 are multiples of 3600; the nearest are 3600 and 7200",
        ),
        ({"namespace": ":Shop"}, "namespace: ':Shop' must not begin with a colon"),
        ({"period": "often"}, "period: 'often': input should be a valid integer"),
        ({"history_days": 0}, "history_days: 0: input should be greater than or equal to 1"),
        ({"history_days": 456}, "history_days: 456: input should be less than or equal to 455"),
        ({"shingle_size": 513}, "shingle_size: 513: input should be less than or equal to 512"),
        (
            {"statistic": "Mean"},
            "statistic: 'Mean' is not valid; expected SampleCount, Average, Sum",
        ),
        ({"time_zone": "Berlin"}, "time_zone: 'Berlin' is not an IANA time zone"),
        (
            {"dimensions": ["Shop"]},
            "dimensions: ['Shop'] is not a mapping such as {InstanceId: i-0123}, or AWS's list",
        ),
        (
            {"dimensions": [{"Name": "Shop", "Value": "a"}, {"Name": "Shop", "Value": "b"}]},
            "dimensions: [{'Name': 'Shop', 'Value': 'a'}, {'Name': 'Shop', 'Value': 'b'}] is not",
        ),
        ({"dimensions": {"Shop": "*"}}, "dimensions.Shop: CloudWatch has no wildcards; remove the"),
        (
            {"exclude": [{"start": "00:00", "end": "24:00"}]},
            "exclude.0.end: '24:00' is not a time of day; midnight is '00:00'",
        ),
        (
            {"exclude": [{"start": "7:00", "end": "08:00"}]},
            "exclude.0.start: '7:00' is not a time of day; write '07:00'",
        ),
        ({"metric": ""}, "metric: '': string should have at least 1 character"),
        ({"namespace": None}, "namespace: has no value; expected text"),
        (
            {"features": ["level"]},
            "features: ['level'] is not allowed; expected auto, or a list of value, difference, residual",
        ),
        (
            {"features": []},
            "features: [] is not allowed; expected auto, or a list of value, difference, residual",
        ),
        (
            {"exclude": [{"begin": "22:00", "start": "1:00", "end": "2:00"}]},
            "exclude.0.begin: is not a",
        ),
        ({"sensitivity": "max"}, "sensitivity: 'max' is not allowed; expected 'low', 'medium' or"),
        (
            {"direction": "up"},
            "direction: 'up' is not allowed; expected 'both', 'above' or 'below'",
        ),
        (
            {"minimum_deviation": {"absolute": -1}},
            "minimum_deviation.absolute: -1: input should be greater than or equal to 0",
        ),
        (
            {"exclude": [{"start": "22:00", "end": "later"}]},
            "exclude.0: '22:00' to 'later': expected",
        ),
        (
            {"exclude": [{"start": "22:00", "end": "06:00", "days": ["caturday"]}]},
            "exclude.0.days.0: 'caturday' is not allowed; expected 'monday', 'tuesday'",
        ),
        ({"colour": "red"}, "colour: is not a field; the fields are name, namespace, metric"),
        ({"cutoff": {"sigma": 3}}, "cutoff.sigma: is not a field; the fields are method, sigmas"),
    ],
)
def test_a_mistake_names_detector_field_value_and_what_is_allowed(
    change: dict[str, Any], mistake: str
) -> None:
    [line] = mistakes(document(ORDERS | change))
    assert line.startswith(f"detectors.yaml: detector 'orders': {mistake}")


def test_a_missing_field_is_named() -> None:
    assert mistakes(document({"name": "orders", "namespace": "Shop", "statistic": "Sum"})) == [
        "detectors.yaml: detector 'orders': metric: is missing"
    ]


def test_a_detector_without_a_name_is_named_by_its_place() -> None:
    nameless = {key: value for key, value in ORDERS.items() if key != "name"}

    assert mistakes(document(ORDERS, nameless)) == [
        "detectors.yaml: detector number 2: name: is missing"
    ]


def test_an_unknown_field_of_the_file_itself_is_told_what_there_is() -> None:
    assert mistakes(document(ORDERS) + "colour: red\n") == [
        "detectors.yaml: colour: is not a field; the fields are detectors, engine, live, publish, streams, tables"
    ]


def test_all_mistakes_come_at_once() -> None:
    lines = mistakes(
        document(ORDERS | {"period": "often", "shingle_size": 0}, {"name": "refunds"}, "visits")
    )

    assert len(lines) == 6
    assert lines[-1].startswith(
        "detectors.yaml: detector number 3: must be a mapping of fields, not 'visits'"
    )


def test_a_name_must_not_be_used_twice() -> None:
    assert mistakes(document(ORDERS, ORDERS)) == [
        "detectors.yaml: detector 'orders': name: is used more than once"
    ]


@pytest.mark.parametrize("text", ["", "[]", "orders", "42", "- name: orders"])
def test_a_file_must_begin_with_detectors(text: str) -> None:
    [line] = mistakes(text)
    assert line == "detectors.yaml: expected 'detectors:' with a list"


@pytest.mark.parametrize("text", ["detectors: []", "detectors: null", "{}", "detectors: orders"])
def test_a_file_must_name_at_least_one_metric(text: str) -> None:
    [line] = mistakes(text)
    assert line.startswith("detectors.yaml: detectors: ")


def test_a_key_that_stands_twice_is_a_mistake_and_not_the_last_one_wins() -> None:
    text = document(ORDERS) + "    period: 60\n    period: 300\n".replace("    ", "  ")
    [line] = mistakes(text)

    assert "is not valid YAML: key 'period' appears 2 times" in line


@pytest.mark.parametrize(
    "hostile",
    [
        "detectors: !!python/object/apply:os.system ['true']",
        "detectors: [",
        "detectors: *nowhere",
        "detectors:\n\t- name: tabs",
        "detectors: \x00",
        "? [a, b]\n: c",
        "detectors: &a [*a]",
        "detectors: 2026-99-99",
        "{[1]: 2}",
        "{{a: 1}: 2}",
    ],
)
def test_hostile_yaml_is_refused_in_one_line(hostile: str) -> None:
    [line] = mistakes(hostile)
    assert line.startswith("detectors.yaml: ")


def test_aliases_do_not_multiply_without_end() -> None:
    bomb = "a: &a [x, x]\n" + "".join(
        f"{name}: &{name} [*{before}, *{before}]\n"
        for before, name in zip("abcdef", "bcdefg", strict=True)
    )
    assert mistakes(bomb + "detectors: *g")


@given(st.text(max_size=200))
def test_no_text_raises_anything_but_invalid_detectors(text: str) -> None:
    assert all(line.startswith("detectors.yaml:") for line in mistakes(text))


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3)
    ),
    max_leaves=5,
)
fields = st.sampled_from(
    [
        *(*ORDERS, "dimensions", "period", "missing_data", "cutoff", "time_zone", "exclude"),
        *("expression", "metrics", "for_each", "limit"),
    ]
)


@pytest.mark.slow
@given(st.lists(st.dictionaries(fields, values, max_size=6) | values, max_size=3))
def test_no_document_raises_anything_but_invalid_detectors(detectors: list[Any]) -> None:
    try:
        parsed = parse_configuration(yaml.safe_dump({"detectors": detectors}))
    except InvalidDetectors:
        return
    assert len(parsed.detectors) + len(parsed.templates) == len(detectors)


def test_the_files_own_name_stands_in_its_mistakes(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("detectors: []")

    with pytest.raises(InvalidDetectors, match=r"^mine\.yaml: detectors: is empty"):
        load_configuration(file)


def test_a_file_in_latin_1_is_told_the_line_and_how_to_save_it(tmp_path: Path) -> None:
    file = tmp_path / "detectors.yaml"
    file.write_bytes("detectors:\n  # größe\n".encode("latin-1"))

    with pytest.raises(InvalidDetectors) as refused:
        load_configuration(file)

    assert str(refused.value) == (
        "detectors.yaml: cannot be read: line 2 is not UTF-8 text; save the file as UTF-8"
    )


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    file = tmp_path / "detectors.yaml"
    file.write_text(document(ORDERS), "utf-8-sig")
    assert len(load_configuration(file).detectors) == 1


@pytest.mark.parametrize("content", [None, b"\xff\xfe\xff"])
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "detectors.yaml"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(InvalidDetectors, match=r"^detectors\.yaml: cannot be read: "):
        load_configuration(file)


@pytest.mark.parametrize(
    ("start", "end"),
    [("22:00", "06:00"), ("2026-12-24", "2026-12-27"), ("2026-12-24T12:00:00", "2026-12-27T12:00")],
)
def test_times_and_dates_need_no_quotes(start: str, end: str) -> None:
    text = f"{document(ORDERS)}  exclude: [{{start: {start}, end: {end}}}]\n"
    [detector] = parse_configuration(text).detectors

    assert detector.exclude == (Exclusion(start, end),)


METRICS = {
    "errors": {"namespace": "Shop", "metric": "Errors", "statistic": "Sum"},
    "requests": {"namespace": "Shop", "metric": "Requests", "statistic": "Sum"},
}
RATIO: dict[str, Any] = {
    "name": "error-rate",
    "expression": "100 * errors / requests",
    "metrics": METRICS,
}
EACH: dict[str, Any] = {**ORDERS, "name": "orders-of", "for_each": "Till"}


def test_an_expression_over_metrics_is_a_detector() -> None:
    [detector] = parse_configuration(document(RATIO)).detectors

    assert detector.expression == "100 * errors / requests"
    assert [metric.metric for metric in detector.sources] == ["Errors", "Requests"]


@pytest.mark.parametrize(
    ("change", "mistake"),
    [
        (
            {"namespace": "Shop"},
            "expression: cannot be combined with namespace; a detector has either",
        ),
        ({"expression": "errors"}, "metrics: 'requests' is not used in the expression 'errors'"),
        ({"expression": "x" * 2_049}, "expression: 'xxx"),
        ({"expression": ""}, "expression: '': string should have at least 1 character"),
        ({"metrics": ["errors"]}, "metrics: ['errors']: input should be a valid dictionary"),
        ({"metrics": METRICS | {"requests": {}}}, "metrics.requests.namespace: is missing"),
        (
            {"metrics": METRICS | {"requests": METRICS["errors"] | {"statistic": "Mean"}}},
            "metrics.requests.statistic: 'Mean' is not valid",
        ),
        (
            {"metrics": METRICS | {"requests": METRICS["errors"] | {"period": 60}}},
            "metrics.requests.period: is not a field; the fields are namespace, metric, statistic, dimensions",
        ),
    ],
)
def test_a_mistake_in_an_expression_or_its_metrics_is_named_like_any_other(
    change: dict[str, Any], mistake: str
) -> None:
    line = mistakes(document(RATIO | change))[0]
    assert line.startswith(f"detectors.yaml: detector 'error-rate': {mistake}")


def test_an_entry_with_for_each_is_a_template_beside_the_detectors() -> None:
    found = parse_configuration(document(ORDERS, EACH, {**EACH, "name": "few", "limit": 7}))

    assert [detector.name for detector in found.detectors] == ["orders"]
    assert [(t.name, t.for_each, t.limit) for t in found.templates] == [
        ("orders-of", "Till", 100),
        ("few", "Till", 7),
    ]


@pytest.mark.parametrize(
    ("change", "mistake"),
    [
        ({"limit": 0}, "limit: 0: input should be greater than or equal to 1"),
        ({"limit": 1_001}, "limit: 1001: input should be less than or equal to 1000"),
        ({"for_each": None, "limit": 5}, "for_each: has no value; expected text"),
        ({"period": "often"}, "period: 'often': input should be a valid integer"),
        ({"period": 90}, "period: 90 must be a multiple of 60"),
        ({"cutoff": {"sigma": 3}}, "cutoff.sigma: is not a field; the fields are method, sigmas"),
        ({"features": ["level"]}, "features: ['level'] is not allowed"),
        ({"dimensions": {"Till": "1"}}, "for_each: 'Till' is already one of"),
        ({"name": "x" * 41}, "name: 'xxxx"),
    ],
)
def test_a_mistake_in_a_template_is_named_where_it_stands_in_the_file(
    change: dict[str, Any], mistake: str
) -> None:
    [line] = mistakes(document(EACH | change))
    name = change.get("name", "orders-of")
    assert line.startswith(f"detectors.yaml: detector '{name}': {mistake}")


def test_a_limit_without_for_each_lacks_it() -> None:
    assert mistakes(document(ORDERS | {"limit": 5})) == [
        "detectors.yaml: detector 'orders': for_each: is missing"
    ]


def test_an_unknown_field_is_told_those_of_templates_too() -> None:
    for entry in (ORDERS, EACH):
        [line] = mistakes(document(entry | {"colour": "red"}))
        assert "colour: is not a field; the fields are name, " in line
        assert line.endswith("for_each, limit")


def test_a_template_and_a_detector_must_not_share_a_name() -> None:
    assert mistakes(document(ORDERS, EACH | {"name": "orders"})) == [
        "detectors.yaml: detector 'orders': name: is used more than once"
    ]


def test_the_files_engine_is_that_of_every_entry_without_one_of_its_own() -> None:
    text = """
engine: lambda
detectors:
  - {name: a, namespace: Shop, metric: A, statistic: Sum}
  - {name: b, namespace: Shop, metric: B, statistic: Sum, engine: sagemaker}
  - {name: c, for_each: Queue, namespace: Shop, metric: C, statistic: Sum}
"""
    configuration = parse_configuration(text)

    assert [detector.engine for detector in configuration.detectors] == ["lambda", "sagemaker"]
    assert configuration.templates[0].pattern.engine == "lambda"


def test_the_files_live_is_that_of_every_entry_and_template_without_its_own() -> None:
    configuration = parse_configuration(
        """
engine: lambda
live: true
publish: all
detectors:
  - {name: a, namespace: Shop, metric: A, statistic: Sum}
  - {name: b, namespace: Shop, metric: B, statistic: Sum, live: false}
  - {name: c, namespace: Shop, metric: C, statistic: Sum, for_each: Shop}
"""
    )
    pattern = configuration.templates[0].pattern
    assert [(each.live, each.publish) for each in (*configuration.detectors, pattern)] == [
        (True, "all"),
        (False, "events"),
        (True, "all"),
    ]


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("live: true, engine: sagemaker", "live: needs engine: lambda"),
        (
            "live: true, engine: lambda, cutoff: {method: window}",
            "cutoff.method: 'window' needs the scores of a whole window",
        ),
        ("publish: all, engine: lambda", "publish: 'all' needs live: true"),
        ("live: true, engine: lambda, publish: some", "publish: 'some' is not allowed"),
        ("live: often, engine: lambda", "live: 'often': input should be a valid boolean"),
    ],
)
def test_a_detector_that_cannot_be_scored_live_is_refused_with_the_reason(
    entry: str, reason: str
) -> None:
    with pytest.raises(InvalidDetectors) as refused:
        parse_configuration(
            f"detectors: [{{name: a, namespace: Shop, metric: A, statistic: Sum, {entry}}}]"
        )
    assert reason in str(refused.value)


@pytest.mark.parametrize("text", ["engine: spark\ndetectors: []", "detectors: [{engine: spark}]"])
def test_an_unknown_engine_is_refused_with_those_there_are(text: str) -> None:
    with pytest.raises(InvalidDetectors, match="engine: 'spark' is not allowed; expected"):
        parse_configuration(text)


def test_a_former_name_of_a_cutoff_method_is_read_with_a_warning() -> None:
    text = "detectors: [{name: orders, namespace: Shop, metric: orders, statistic: Sum, cutoff: {method: likelihood}}]"

    configuration = parse_configuration(text)

    assert configuration.detectors[0].cutoff.method == "adaptive"
    (warning,) = configuration.warnings
    assert "detector 'orders': cutoff.method: 'likelihood' was renamed; use 'adaptive'" in warning


WRITTEN = """\
ec2: &ec2
  namespace: AWS/EC2
  statistic: Average
  period: 60
detectors:
  - <<: *ec2
    name: cpu
    metric: CPUUtilization
    period: 300
  - <<: *ec2
    name: network
    metric: NetworkIn
"""


def test_merge_keys_bring_the_fields_of_an_anchor(tmp_path: Path) -> None:
    cpu, network = parse_configuration(WRITTEN).detectors

    assert (cpu.metric_label, cpu.period) == ("AWS/EC2 CPUUtilization, Average", 300)
    assert (network.metric_label, network.period) == ("AWS/EC2 NetworkIn, Average", 60)


def test_the_documented_example_of_shared_fields_is_valid() -> None:
    text = (PROJECT / "docs" / "configuration.md").read_text()
    [example] = [
        each for each in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if "<<:" in each
    ]
    [detector] = parse_configuration(example).detectors
    assert (
        detector.metric_label == "AWS/EC2 CPUUtilization (InstanceId=i-0123456789abcdef0), Average"
    )


def test_a_mistake_in_an_anchor_is_told_at_the_anchor() -> None:
    lines = mistakes_with_lines(WRITTEN.replace("Average", "Averag"))

    assert [line[:42] for line in lines] == [
        "detectors.yaml: line 3: detector 'cpu': st",
        "detectors.yaml: line 3: detector 'network'",
    ]


def test_an_unknown_field_without_an_anchor_is_a_mistake() -> None:
    [line] = mistakes(
        WRITTEN.replace("&ec2", "").replace("<<: *ec2", "namespace: A\n    statistic: Sum")
    )
    assert line.startswith("detectors.yaml: ec2: is not a field; the fields are detectors, engine")


def test_awss_list_of_dimensions_is_read_as_a_mapping() -> None:
    pairs = [{"Name": "Shop", "Value": "north"}, {"Name": "Till", "Value": "7"}]
    ratio = {**RATIO, "metrics": {**METRICS, "errors": METRICS["errors"] | {"dimensions": pairs}}}

    orders, rate = parse_configuration(document(ORDERS | {"dimensions": pairs}, ratio)).detectors

    assert orders.dimensions == rate.sources[0].dimensions == {"Shop": "north", "Till": "7"}


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("012345670123", "012345670123 is an octal number in YAML; put it in quotes"),
        ("8080", 'dimensions.Port: 8080 is a number in YAML; put it in quotes: "8080"'),
        ("1.10", 'dimensions.Port: 1.10 is a number in YAML; put it in quotes: "1.10"'),
        ("0x1F", 'dimensions.Port: 0x1F is a number in YAML; put it in quotes: "0x1F"'),
        ("on", 'dimensions.Port: on is a truth value in YAML; put it in quotes: "on"'),
        ("", "dimensions.Port: has no value; expected text"),
    ],
)
def test_what_yaml_makes_of_a_value_is_told_as_it_was_typed(written: str, told: str) -> None:
    text = f"{document(ORDERS)}  dimensions:\n    Port: {written}\n"
    [line] = mistakes_with_lines(text)

    assert line.startswith(f"detectors.yaml: line {len(text.splitlines())}: ")
    assert told in line


def test_a_value_in_awss_list_is_told_as_it_was_typed() -> None:
    text = f"{document(ORDERS)}  dimensions:\n  - Name: Port\n    Value: 08.50\n"
    [line] = mistakes_with_lines(text)
    assert line == (
        "detectors.yaml: line 8: detector 'orders': dimensions.Port: 08.50 is a number in YAML; "
        'put it in quotes: "08.50"'
    )


def test_an_octal_number_never_becomes_another_period() -> None:
    [line] = mistakes(f"{document(ORDERS)}  period: 0600\n")
    assert "0600 is an octal number in YAML" in line


@pytest.mark.parametrize(
    ("change", "meant"),
    [
        ({"stat": "Sum"}, "statistic"),
        ({"MetricName": "Orders"}, "metric"),
        ({"timezone": "UTC"}, "time_zone"),
        ({"minimum_deviations": {}}, "minimum_deviation"),
        ({"sensitivity": "High"}, "high"),
        ({"cutoff": {"method": "adaptiv"}}, "adaptive"),
        ({"time_zone": "New York"}, "America/New_York"),
        ({"time_zone": "Europe/Berln"}, "Europe/Berlin"),
        ({"statistic": "average"}, "Average"),
        ({"statistic": "avg"}, "Average"),
        ({"statistic": "P99"}, "p99"),
        ({"statistic": "tm(10% : 90%)"}, "TM(10%:90%)"),
    ],
)
def test_what_was_probably_meant_is_named(change: dict[str, Any], meant: str) -> None:
    [line] = mistakes(document(ORDERS | change))
    assert line.endswith(f"; did you mean {meant!r}?")


def test_all_problems_of_a_file_come_in_one_go_with_their_lines() -> None:
    text = """\
detectors:
  - name: "!"
    namespace: Shop
    metric: Orders
    statistic: Avg
    period: often
    time_zone: Berlin
    time_zone: Mars
  - name: rate
    expression: errors / requests
    metrics:
      errors: {namespace: Shop, metric: Errors, statistic: Mean}
      requests: {namespace: 7, metric: Requests, statistic: Sum}
    colour: red
  - {name: rate, namespace: Shop, metric: Orders, statistic: Sum, limit: 0}
"""
    lines = mistakes_with_lines(text)

    assert sorted(
        re.findall(
            r"^detectors\.yaml: (line \d+: (?:detector \S+ )?\S+)", "\n".join(lines), re.MULTILINE
        )
    ) == sorted(
        [
            "line 8: is",
            "line 6: detector '!': period:",
            "line 2: detector '!': name:",
            "line 5: detector '!': statistic:",
            "line 8: detector '!': time_zone:",
            "line 14: detector 'rate': colour:",
            "line 12: detector 'rate': metrics.errors.statistic:",
            "line 13: detector 'rate': metrics.requests.namespace:",
            "line 15: detector 'rate': for_each:",
            "line 15: detector 'rate': limit:",
            "line 15: detector 'rate': name:",
        ]
    )


@pytest.mark.parametrize(
    ("change", "doubt"),
    [
        (
            {"minimum_deviation": {"relative": 20}},
            "minimum_deviation.relative: 20 is 2,000 % of the expected value; write 0.2 for 20 %",
        ),
        ({"cutoff": {"sigmas": 3}}, "cutoff.sigmas: has no effect with the method adaptive"),
        ({"history_days": 3}, "history_days: 3 is less than a week; quiet weekends cannot"),
        (
            {"dimensions": {"Shop": "north-*"}},
            "dimensions.Shop: 'north-*' is taken literally; CloudWatch has no wildcards",
        ),
    ],
)
def test_a_value_that_is_valid_but_unlikely_is_read_with_a_warning(
    change: dict[str, Any], doubt: str
) -> None:
    text = document(ORDERS | change)
    [warning] = parse_configuration(text).warnings

    line, _, rest = warning.removeprefix("detectors.yaml: line ").partition(": ")
    assert rest.startswith(f"detector 'orders': {doubt}")
    assert (
        text.splitlines()[int(line) - 1]
        .strip(" -")
        .startswith(doubt.partition(":")[0].split(".")[-1])
    )


def test_usual_values_bring_no_warnings() -> None:
    usual = {
        "minimum_deviation": {"relative": 0.2},
        "history_days": 30,
        "dimensions": {"Shop": "n"},
    }
    assert parse_configuration(document(ORDERS | usual)).warnings == ()
