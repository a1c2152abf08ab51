"""The query protocol, against botocore's own side of it."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from botocore.model import StructureShape
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from hypothesis import given
from hypothesis import strategies as st

from localaws import query_protocol
from localaws.api_request import operation_model

NAMES = st.text("abcXYZ0123456789 -_/&=%", min_size=1, max_size=10)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)
DIMENSIONS = st.lists(st.fixed_dictionaries({"Name": NAMES, "Value": NAMES}), min_size=1)
DATUMS = st.fixed_dictionaries(
    {"MetricName": NAMES},
    optional={
        "Dimensions": DIMENSIONS,
        "Timestamp": MOMENTS,
        "Values": st.lists(NUMBERS, min_size=1),
        "StorageResolution": st.integers(1, 60),
    },
)


@given(st.fixed_dictionaries({"Namespace": NAMES, "MetricData": st.lists(DATUMS, min_size=1)}))
def test_a_request_is_read_as_it_was_meant(parameters: dict[str, Any]) -> None:
    model = operation_model("cloudwatch", "PutMetricData")
    body = create_serializer("query").serialize_to_request(parameters, model)["body"]
    form = dict(parse_qsl(urlencode(body), keep_blank_values=True))
    assert isinstance(model.input_shape, StructureShape)
    assert query_protocol.parse(form, model.input_shape) == parameters


RESULTS = st.fixed_dictionaries(
    {
        "Id": NAMES,
        "StatusCode": st.sampled_from(["Complete", "PartialData"]),
        "Timestamps": st.lists(MOMENTS),
        "Values": st.lists(NUMBERS),
    }
)


@given(st.lists(RESULTS))
def test_a_response_is_read_as_it_was_meant(results: list[dict[str, Any]]) -> None:
    model = operation_model("cloudwatch", "GetMetricData")
    body = query_protocol.serialize({"MetricDataResults": results}, model, "1")
    response = {"headers": {}, "status_code": 200, "body": body}
    assert model.output_shape is not None
    parsed = create_parser("query").parse(response, model.output_shape)
    assert parsed["MetricDataResults"] == results


def test_an_error_is_read_as_it_was_meant() -> None:
    model = operation_model("cloudwatch", "GetMetricData")
    body = query_protocol.serialize_error("Throttling", "slow & steady", 400, "1")
    response = {"headers": {}, "status_code": 400, "body": body}
    assert model.output_shape is not None
    error = create_parser("query").parse(response, model.output_shape)["Error"]
    assert (error["Code"], error["Message"]) == ("Throttling", "slow & steady")
