"""SEARCH against the rules and the examples of AWS's "CloudWatch search expression syntax"."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localaws.api_response import ApiError
from localaws.cloudwatch.labels import labels
from localaws.cloudwatch.metric_store import MetricKey
from localaws.cloudwatch.search import found, words_of
from localaws.cloudwatch.time_series import WrongExpression
from localaws.limits import SEARCH_MAX_LENGTH

COUNT = MetricKey.of("MyNamespace", "CustomCount1", {})
CPU = [
    MetricKey.of("AWS/EC2", "CPUUtilization", {"InstanceId": name})
    for name in ("i-1", "i-2", "i-3")
]
OF_A_TYPE = MetricKey.of("AWS/EC2", "CPUUtilization", {"InstanceType": "t2.micro"})
PACKETS = MetricKey.of("AWS/EC2", "NetworkPacketsIn", {"InstanceId": "i-1"})
EC2_READS = MetricKey.of("AWS/EC2", "EBSReadOps", {"InstanceId": "i-1"})
EBS_READS = MetricKey.of("AWS/EBS", "VolumeReadOps", {"VolumeId": "ProjectA"})
ERRORS = [
    MetricKey.of("AWS/Lambda", "Errors", {"FunctionName": name}) for name in ("ProjectA-x", "other")
]
INVOCATIONS = [
    MetricKey.of("AWS/Lambda", "Invocations", {"FunctionName": name})
    for name in ("ProjectA-x", "ProjectB", "other")
]
HOSTILE = MetricKey.of("My Namespace", "Europe\\France Traffic(Network)", {"Dimension@Name": 'a"b'})
NETWORK = MetricKey.of("Shop", "Network-Errors_2", {})
EVERYTHING = [
    COUNT,
    *CPU,
    OF_A_TYPE,
    PACKETS,
    EC2_READS,
    EBS_READS,
    *ERRORS,
    *INVOCATIONS,
    HOSTILE,
    NETWORK,
]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("CustomCount1", ["Custom", "Count", "1"]),
        ("SDBFailure", ["SDB", "Failure"]),
        ("Project2-trial333", ["Project", "2", "trial", "333"]),
        ("Network-Errors_2", ["Network", "Errors", "2"]),
        ("couNT", ["cou", "NT"]),
    ],
)
def test_names_fall_into_words_as_aws_s_examples_do(text: str, words: list[str]) -> None:
    assert words_of(text) == words


@pytest.mark.parametrize(
    ("term", "finds"),
    [
        *((term, True) for term in ("count", "Count", "COUNT", "CustomCount", "Count1")),
        *((term, True) for term in ("CustomCount1", "customcount1", "1")),
        *((term, False) for term in ("couNT", "customcount", "count1", "cust", "Count2")),
    ],
)
def test_a_part_of_a_name_is_found_by_its_words(term: str, finds: bool) -> None:
    assert found(term, [COUNT]) == [COUNT] * finds


@pytest.mark.parametrize(
    "term", ["network/errors", "network+errors", "network-errors", "Network_Errors"]
)
def test_other_characters_only_part_words(term: str) -> None:
    assert found(term, EVERYTHING) == [NETWORK]


@pytest.mark.parametrize(
    ("search", "metrics"),
    [
        ('{AWS/EC2,InstanceId} MetricName="CPUUtilization"', CPU),
        ("{AWS/EC2, InstanceId}, CPUUtilization", CPU),
        ("{AWS/EC2}", [*CPU, OF_A_TYPE, PACKETS, EC2_READS]),
        ("{AWS/EC2,InstanceType}", [OF_A_TYPE]),
        ("{AWS/EC2,InstanceType,InstanceId}", []),
        (' "AWS/EC2" MetricName="CPUUtilization" ', [*CPU, OF_A_TYPE]),
        ("InstanceType=micro", [OF_A_TYPE]),
        ('InstanceType="t2.micro" Namespace="AWS/EC2"', [OF_A_TYPE]),
        ("{AWS/EC2,InstanceId} network AND packets", [PACKETS]),
        ("{AWS/EC2,InstanceId} network packets", [PACKETS]),
        ('{AWS/EC2,InstanceId} MetricName="CPUUtilization" NOT "i-1"', CPU[1:]),
        ('{AWS/EC2,InstanceId} MetricName="CPUUtilization" NOT "i-1" NOT "i-2"', CPU[2:]),
        ("NOT Namespace=AWS", [COUNT, HOSTILE, NETWORK]),
        ("(EC2 OR EBS) AND MetricName=ReadOps", [EC2_READS, EBS_READS]),
        ("(EC2 OR EBS) MetricName=ReadOps", [EC2_READS, EBS_READS]),
        ("(EC2 OR EBS) AND ReadOps AND ProjectA", [EBS_READS]),
        (
            '{AWS/Lambda,FunctionName} MetricName="Errors" OR '
            '(MetricName="Invocations" AND (ProjectA OR ProjectB))',
            [*ERRORS, *INVOCATIONS[:2]],
        ),
        ('"customcount1"', []),
        ('"Custom"', []),
        ('"Europe\\\\France Traffic\\(Network\\)"', [HOSTILE]),
        ('{"My Namespace","Dimension@Name"} "a\\"b"', [HOSTILE]),
        ("count and custom", []),
    ],
)
def test_a_search_finds_what_aws_says_it_does(search: str, metrics: list[MetricKey]) -> None:
    assert found(search, EVERYTHING) == metrics


@pytest.mark.parametrize(
    ("search", "complaint"),
    [
        (" ", "a schema, a search term or both"),
        ("{AWS/EC2,} x", "Invalid metric schema"),
        ("{} x", "Invalid metric schema"),
        ("(a", "not closed|still to come"),
        ("a)", "Invalid search term near"),
        (")", "Invalid brackets"),
        ("a OR", "still to come"),
        ("AND a", "near 'AND'"),
        ("=a", "near '='"),
        ("a=", "still to come"),
        ("NOT", "still to come"),
        ('"a', "Invalid search term at position 0"),
        ("--", "near '--'"),
        ("(" * 60 + "a" + ")" * 60, "Invalid brackets"),
        (":aws.AccountId=LOCAL", "does not implement :aws.AccountId"),
        ("a" * (SEARCH_MAX_LENGTH + 1), "at most 1024 characters"),
    ],
)
def test_what_is_no_search_is_refused(search: str, complaint: str) -> None:
    with pytest.raises(WrongExpression, match=complaint):
        found(search, EVERYTHING)


@given(
    st.text(max_size=40)
    | st.lists(st.sampled_from([*'aA1 "\\(){}=-,', "AND ", "OR ", "NOT "])).map("".join)
)
def test_any_text_is_searched_for_or_refused(search: str) -> None:
    try:
        metrics = found(search, EVERYTHING)
    except WrongExpression:
        return
    assert [key for key in EVERYTHING if key in metrics] == metrics


@given(st.text(min_size=1, max_size=30))
def test_an_exact_match_finds_exactly_its_metric(name: str) -> None:
    written = name
    for character in '\\"()':
        written = written.replace(character, f"\\{character}")
    here, there = MetricKey.of("N", name, {}), MetricKey.of("N", f"{name}x", {})
    assert found(f'MetricName="{written}"', [here, there]) == [here]


def test_series_are_labelled_by_what_tells_them_apart() -> None:
    assert labels(CPU, None) == ["i-1", "i-2", "i-3"]
    assert labels([CPU[0], PACKETS], None) == ["CPUUtilization", "NetworkPacketsIn"]
    assert labels([CPU[0], EBS_READS], None) == [
        "i-1 CPUUtilization AWS/EC2",
        "ProjectA VolumeReadOps AWS/EBS",
    ]
    assert labels(CPU[:1], None) == ["CPUUtilization"]
    assert labels([], None) == []


def test_a_label_stands_before_what_tells_series_apart() -> None:
    assert labels(CPU, "load") == ["load i-1", "load i-2", "load i-3"]
    assert labels(CPU[:1], "load") == ["load"]


def test_a_dynamic_label_says_of_each_series_what_it_names() -> None:
    label = "${PROP('Dim.InstanceId')}: ${PROP('MetricName')} of ${PROP('Namespace')} (${LABEL})"
    assert labels(CPU[:2], label) == [
        "i-1: CPUUtilization of AWS/EC2 (i-1)",
        "i-2: CPUUtilization of AWS/EC2 (i-2)",
    ]
    with pytest.raises(ApiError, match="does not implement"):
        labels(CPU, "${MAX}")
