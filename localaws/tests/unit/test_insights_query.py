"""The grammar of Metrics Insights, against AWS's "Query components and syntax"."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localaws.cloudwatch.insights_query import (
    Condition,
    InsightsQuery,
    is_insights_query,
    parse,
)
from localaws.cloudwatch.time_series import WrongExpression


@pytest.mark.parametrize(
    ("text", "query"),
    [
        (
            'SELECT AVG(CPUUtilization) FROM "AWS/EC2"',
            InsightsQuery("Average", "CPUUtilization", "AWS/EC2"),
        ),
        (
            'SELECT MAX(CPUUtilization) FROM SCHEMA("AWS/EC2")',
            InsightsQuery("Maximum", "CPUUtilization", "AWS/EC2", frozenset()),
        ),
        (
            'SELECT MAX(AnomalousDatapoints) FROM SCHEMA("Cutwatch", Detector) '
            "GROUP BY Detector ORDER BY MAX() DESC",
            InsightsQuery(
                "Maximum",
                "AnomalousDatapoints",
                "Cutwatch",
                frozenset({"Detector"}),
                group_by=("Detector",),
                order_by="Maximum",
                descending=True,
            ),
        ),
        (
            'select sum(RequestCount)\nfrom schema("AWS/ApplicationELB", LoadBalancer, Zone)\n'
            "where LoadBalancer = 'app/load-balancer-1' and Zone != 'b'\n"
            "group by Zone, LoadBalancer order by count() asc limit 5;",
            InsightsQuery(
                "Sum",
                "RequestCount",
                "AWS/ApplicationELB",
                frozenset({"LoadBalancer", "Zone"}),
                (
                    Condition("LoadBalancer", True, "app/load-balancer-1"),
                    Condition("Zone", False, "b"),
                ),
                ("Zone", "LoadBalancer"),
                "SampleCount",
                limit=5,
            ),
        ),
        (
            'SELECT MIN("LIMIT") FROM Shop WHERE "My Label" = \'it\\\'s\'',
            InsightsQuery("Minimum", "LIMIT", "Shop", None, (Condition("My Label", True, "it's"),)),
        ),
        ('SELECT AVG("Bytes\\"Input\\"") FROM x', InsightsQuery("Average", 'Bytes"Input"', "x")),
        ("SELECT SUM(Maximum) FROM Selected", InsightsQuery("Sum", "Maximum", "Selected")),
    ],
)
def test_a_query_is_what_its_clauses_say(text: str, query: InsightsQuery) -> None:
    assert parse(text) == query


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("SELECT", "position 6"),
        ("SELECT MAX(m)", "position 13"),
        ("SELECT MEDIAN(m) FROM x", "position 7"),
        ("SELECT MAX(m), MIN(m) FROM x", "position 13"),
        ("SELECT MAX(a-b) FROM x", "position 12"),
        ("SELECT MAX(LIMIT) FROM x", "position 11"),
        ("SELECT MAX(m) FROM AWS/EC2", "position 22: '/EC2'"),
        ("SELECT MAX(m) FROM 'x'", "position 19"),
        ("SELECT MAX(m) FROM SCHEMA()", "position 26"),
        ("SELECT MAX(m) FROM x WHERE a = b", "WHERE a = b"),
        ('SELECT MAX(m) FROM x WHERE a = "b"', "WHERE a"),
        ("SELECT MAX(m) FROM x WHERE a > 'b'", "WHERE a > 'b'"),
        ("SELECT MAX(m) FROM x WHERE a = 'b' OR c = 'd'", "OR c"),
        ("SELECT MAX(m) FROM x LIMIT 5 GROUP BY a", "GROUP BY a"),
        ("SELECT MAX(m) FROM x ORDER BY a", "ORDER BY a"),
        ("SELECT MAX(m) FROM x LIMIT 0", "LIMIT must be between 1 and 500, not 0"),
        ("SELECT MAX(m) FROM x LIMIT 501", "LIMIT must be between 1 and 500, not 501"),
    ],
)
def test_what_is_no_query_is_refused_where_it_goes_wrong(text: str, complaint: str) -> None:
    with pytest.raises(WrongExpression) as caught:
        parse(text)
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("SELECT MAX(m) FROM x", True),
        ("  select\nmax(m) from x", True),
        ("select + m", False),
        ("select", False),
        ("select AND m", False),
        ("m + select", False),
        ("", False),
    ],
)
def test_a_query_is_told_from_metric_math(expression: str, *, expected: bool) -> None:
    assert is_insights_query(expression) is expected


def quoted(text: str, mark: str) -> str:
    return mark + text.replace('"', '\\"').replace("'", "\\'") + mark


unescaped = st.characters(exclude_characters="\\", codec="utf-8")
names, texts = st.text(unescaped, min_size=1), st.text(unescaped)


@given(names, names, st.lists(names, max_size=3), texts, st.booleans(), st.integers(1, 500))
def test_whatever_is_quoted_comes_back_as_it_was(
    metric: str, namespace: str, keys: list[str], value: str, equal: bool, limit: int
) -> None:
    source = ", ".join(quoted(each, '"') for each in (namespace, *keys))
    text = (
        f"SELECT SUM({quoted(metric, chr(34))}) FROM SCHEMA({source}) "
        f"WHERE {quoted(metric, chr(34))} {'=' if equal else '!='} {quoted(value, chr(39))} "
        f"LIMIT {limit}"
    )
    assert parse(text) == InsightsQuery(
        "Sum",
        metric,
        namespace,
        frozenset(keys),
        (Condition(metric, equal, value),),
        limit=limit,
    )


pieces = st.sampled_from(
    [
        "SELECT",
        "FROM",
        "WHERE",
        "GROUP",
        "BY",
        "ORDER",
        "LIMIT",
        "AND",
        "MAX()",
        "SCHEMA(",
        "(",
        ")",
        ",",
        "=",
        "!=",
        "'v'",
        '"n"',
        "m",
        "5",
        ";",
        "\\",
    ]
)


@given(st.text(max_size=40) | st.lists(pieces, max_size=15).map(" ".join))
def test_any_text_is_a_query_or_refused(text: str) -> None:
    try:
        assert isinstance(parse(text), InsightsQuery)
    except WrongExpression:
        return
