import json
import random

import pytest

from cutwatch.streams.baseline import ScoreBaseline


def scores(count: int, seed: int = 0) -> list[float]:
    source = random.Random(seed)
    return [0.8 + 0.1 * source.random() for _ in range(count)]


def after(given: list[float]) -> ScoreBaseline:
    baseline = ScoreBaseline()
    for score in given:
        baseline.severity(score)
    return baseline


def test_the_first_scores_have_no_severity() -> None:
    baseline = ScoreBaseline()
    assert [baseline.severity(score) for score in [*scores(31), 9.0]] == [0.0] * 32


def test_usual_scores_stay_below_the_cutoff() -> None:
    baseline = after(scores(100))
    assert max(baseline.severity(score) for score in scores(5_000, seed=1)) < 0.5


def test_a_single_high_score_and_a_lasting_rise_reach_the_cutoff() -> None:
    assert after(scores(500)).severity(3.0) > 1

    rising = after(scores(500))
    assert [rising.severity(1.25) >= 1 for _ in range(3)] == [False, False, True]


def test_severity_grows_with_the_score() -> None:
    found = [after(scores(500)).severity(score) for score in (1.0, 2.0, 4.0, 8.0)]
    assert found == sorted(found)
    assert found[0] < found[-1]


def test_an_incident_hardly_raises_the_baseline() -> None:
    calm, shaken = after(scores(500)), after([*scores(500), *[50.0] * 5])
    assert shaken.mean == pytest.approx(calm.mean, abs=0.05)


def test_scores_that_often_peak_must_exceed_their_own_peaks() -> None:
    peaking = scores(1_900)
    for start in (400, 900, 1_400):
        peaking[start : start + 3] = [2.0] * 3

    assert after(peaking[:1_399]).cutoff == after(scores(500)).cutoff
    assert after(peaking).cutoff > 1.5 * after(scores(500)).cutoff


def test_peaks_are_forgotten_after_two_blocks() -> None:
    peaking = scores(10_000)
    for start in (400, 900, 1_400):
        peaking[start : start + 3] = [2.0] * 3

    assert after(peaking).cutoff == after(scores(500)).cutoff


def test_a_restored_baseline_continues_exactly() -> None:
    baseline = after([*scores(3_000), 2.0])
    restored = ScoreBaseline.from_payload(json.loads(json.dumps(baseline.to_payload())))
    following = scores(200, seed=3)

    assert [restored.severity(s) for s in following] == [baseline.severity(s) for s in following]
    assert restored == baseline
