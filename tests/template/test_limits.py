"""AWS's limits are named once; the template's bounds and AWS's own API models agree with them."""

from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest

import localaws.limits
from cutwatch.aws import limits
from cutwatch.aws.clients import client
from cutwatch.timeseries.windows import PUBLISHING_MARGIN
from tests.support.stack import Stack


def shape(service: str, name: str) -> Any:
    return client(service).meta.service_model.shape_for(name)


@pytest.mark.parametrize(
    ("setting", "limit"),
    [
        ("NumTrees", limits.RCF_NUM_TREES),
        ("NumSamplesPerTree", limits.RCF_NUM_SAMPLES_PER_TREE),
    ],
)
def test_the_forests_settings_have_the_algorithms_bounds(
    stack: Stack, setting: str, limit: range
) -> None:
    lowest, highest = stack.bounds(setting)
    assert range(lowest, highest + 1) == limit


def test_a_first_window_can_still_be_published_when_its_jobs_are_done(stack: Stack) -> None:
    longest = timedelta(days=stack.bounds("FirstWindowDays")[1])
    assert longest + PUBLISHING_MARGIN <= limits.METRIC_MAX_AGE


@pytest.mark.parametrize("setting", ["TrainingDeadlineMinutes", "TransformDeadlineMinutes"])
def test_no_job_may_take_so_long_that_its_datapoints_grow_too_old(
    stack: Stack, setting: str
) -> None:
    assert timedelta(minutes=stack.bounds(setting)[1]) <= PUBLISHING_MARGIN


def test_data_outlives_the_transform_that_reads_it(stack: Stack) -> None:
    shortest = timedelta(days=stack.bounds("DataExpirationDays")[0])
    assert shortest >= limits.METRIC_MAX_AGE


def test_models_outlive_two_monthly_trainings(stack: Stack) -> None:
    assert stack.bounds("ModelExpirationDays")[0] >= 2 * 31


def test_names_and_dimensions_have_the_lengths_of_cloudwatchs_api() -> None:
    assert shape("cloudwatch", "MetricName").metadata["max"] == limits.METRIC_NAME_MAX_LENGTH
    value = shape("cloudwatch", "DimensionValue").metadata["max"]
    assert value == limits.METRIC_DIMENSION_MAX_LENGTH
    assert shape("cloudwatch", "Dimensions").metadata["max"] == limits.METRIC_MAX_DIMENSIONS


def test_expressions_and_ids_of_queries_have_the_lengths_of_cloudwatchs_api() -> None:
    longest = shape("cloudwatch", "MetricExpression").metadata["max"]
    assert longest == limits.METRIC_EXPRESSION_MAX_LENGTH
    longest = shape("cloudwatch", "MetricId").metadata["max"]
    assert longest == limits.METRIC_QUERY_ID_MAX_LENGTH


def test_as_many_dimensions_filter_a_list_of_metrics_as_cloudwatchs_api_takes() -> None:
    most = shape("cloudwatch", "DimensionFilters").metadata["max"]
    assert most == limits.LIST_METRICS_MAX_DIMENSION_FILTERS


@pytest.mark.parametrize("name", ["TrainingJobName", "TransformJobName"])
def test_names_of_jobs_have_the_form_of_sagemakers_api(name: str) -> None:
    metadata = shape("sagemaker", name).metadata
    assert metadata["max"] == limits.SAGEMAKER_NAME_MAX_LENGTH
    assert metadata["pattern"] == limits.SAGEMAKER_NAME_PATTERN


def test_a_model_can_bear_its_jobs_name() -> None:
    assert shape("sagemaker", "ModelName").metadata["max"] == limits.SAGEMAKER_NAME_MAX_LENGTH


@pytest.mark.parametrize(
    ("period", "kept"),
    [
        (1, timedelta(hours=3)),
        (60, timedelta(days=15)),
        (240, timedelta(days=15)),
        (420, timedelta(days=15)),
        (300, timedelta(days=63)),
        (3_300, timedelta(days=63)),
        (3_600, timedelta(days=455)),
        (86_400, timedelta(days=455)),
    ],
)
def test_longer_periods_are_kept_for_longer(period: int, kept: timedelta) -> None:
    assert limits.metric_retention(period) == kept


def test_the_local_aws_enforces_the_limits_that_the_application_respects() -> None:
    def named(module: ModuleType) -> dict[str, Any]:
        return {name: value for name, value in vars(module).items() if name.isupper()}

    ours, enforced = named(limits), named(localaws.limits)
    shared = ours.keys() & enforced.keys()
    assert len(shared) >= 20
    assert {name: ours[name] for name in shared} == {name: enforced[name] for name in shared}
