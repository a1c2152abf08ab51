from collections.abc import Mapping
from functools import cache

import numpy as np
import pytest

from cutwatch.anomaly_models.training import TrainingSettings
from cutwatch.detectors.stream import ForestSettings, Model
from cutwatch.errors import InvalidInput
from cutwatch_cli.access_logs.comparison import (
    UNITS,
    LabelledRows,
    compare,
    roc_auc,
    rows_of_log,
)
from cutwatch_cli.access_logs.faults import planted_faults
from cutwatch_cli.access_logs.shop import Shop

MONDAY, DAY = 1_780_272_000.0, 86_400
FAULTS = planted_faults(MONDAY + 2.5 * DAY, MONDAY + 3 * DAY)
SETTINGS = TrainingSettings(ForestSettings(trees=10, sample_size=64))


def rows(unit: str) -> LabelledRows:
    return _rows_by_unit()[unit]


@cache
def _rows_by_unit() -> Mapping[str, LabelledRows]:
    shop = Shop(MONDAY, 3 * DAY, busiest_rate=0.1, faults=FAULTS)
    return rows_of_log(list(shop.requests()), FAULTS)


def test_roc_auc_is_that_of_scikit_learn_with_ties() -> None:
    from sklearn.metrics import roc_auc_score  # noqa: PLC0415 - takes two seconds in every worker

    source = np.random.default_rng(1)
    scores = source.integers(0, 8, 500).astype(np.float64)
    anomalous = source.random(500) < 0.1
    assert roc_auc(scores, anomalous) == pytest.approx(roc_auc_score(anomalous, scores))
    assert roc_auc(scores, np.zeros(500, np.bool_)) is None


@pytest.mark.slow
def test_faults_are_in_the_part_that_is_scored() -> None:
    minutes, records = rows("minute"), rows("record")
    for each in (minutes, records):
        assert set(each.labels[: each.training].tolist()) == {""}
        assert each.anomalous.sum() > 0
    assert minutes.rows.times[minutes.training] == pytest.approx(
        records.rows.times[records.training], abs=120
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("random_cut_forest", {"error burst", "path scan"}),
        ("one_class_svm", {"error burst", "path scan"}),
        ("harmonic_regression", {"error burst"}),
        ("random_cut_forest_endpoint", {"error burst", "path scan"}),
    ],
)
def test_each_model_finds_its_faults_with_few_false_alarms(kind: Model, found: set[str]) -> None:
    result = compare(kind, UNITS[kind], rows(UNITS[kind]), SETTINGS)
    assert found <= set(result.found)
    assert set(result.found).isdisjoint(result.missed)
    assert result.false_alarms < 0.02
    assert result.roc_auc is not None
    assert result.roc_auc > 0.6
    assert result.labelled >= result.flagged * (result.precision or 0)


def test_a_log_without_records_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no records"):
        rows_of_log([], ())
