"""Register Model freezes the cutoff and keeps two models."""

import json
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from cutwatch.errors import Throttled
from cutwatch.registry.outcome import Outcome
from cutwatch.timestamps import parse_timestamp
from tests.support.account import Account
from tests.support.builders import a_model
from tests.support.sample_events import sample

EVENT = sample("register_model")
DETECTOR, NAME = EVENT["datasets"][0]["detector"], EVENT["model"]["name"]
END = parse_timestamp("2026-11-01T02:45:00Z")
SCORES = [1.0 + position % 7 / 10 for position in range(576)]


@pytest.fixture
def scored(account: Account) -> dict[str, Any]:
    """The sample event, its dataset stored and scored; two days of history are enough."""
    event = sample("register_model")
    account.put_metric("AWS/Lambda", "Invocations", END - timedelta(days=2), [5.0, 7.0] * 288)
    store = sample("store_metric_data") | {"run": event["run"]}
    store["detectors"][0]["history_days"] = 2
    event["datasets"] = account.invoke("store_metric_data", store)["datasets"]
    write_scores(account, SCORES)
    return event


def outcome(account: Account) -> Outcome:
    recorded = account.registry.outcomes.get(EVENT["run"]["id"], DETECTOR)
    assert recorded is not None
    return recorded


def write_scores(account: Account, scores: list[float]) -> None:
    lines = "".join(json.dumps({"score": score}) + "\n" for score in scores)
    account.store.write(f"scores/{DETECTOR}/{EVENT['scoring']['name']}/part-00000.csv.out", lines)


def test_the_model_is_registered_with_the_cutoff_of_its_own_training_scores(
    account: Account, scored: dict[str, Any]
) -> None:
    account.invoke("register_model", scored)

    [model] = account.registry.detectors.get(DETECTOR).models
    assert model.name == NAME
    assert model.trained_from == "2026-10-30T02:45:00Z"
    assert model.trained_through == "2026-11-01T02:45:00Z"
    assert model.cutoff["value"] == pytest.approx(np.mean(SCORES) + 3 * np.std(SCORES))


def test_the_models_recipe_lies_beside_its_artefact(
    account: Account, scored: dict[str, Any]
) -> None:
    account.invoke("register_model", scored)

    [model] = account.registry.detectors.get(DETECTOR).models
    prefix = scored["datasets"][0]["prefix"]
    learned = account.store.read_json(f"{prefix}description.json")["recipe"]
    assert model.recipe == f"models/{DETECTOR}/{NAME}/recipe.json"
    assert account.store.read_json(model.recipe) == learned


def test_k_is_the_stacks_unless_the_detector_has_its_own(
    account: Account, scored: dict[str, Any]
) -> None:
    account.invoke("register_model", scored, CUTOFF_SIGMAS="5")

    [model] = account.registry.detectors.get(DETECTOR).models
    assert model.cutoff["sigmas"] == 5


def test_the_outcome_says_what_was_learned(account: Account, scored: dict[str, Any]) -> None:
    answer = account.invoke("register_model", scored)

    assert answer == {"models": [NAME]}
    assert outcome(account).status == "TRAINED"
    assert outcome(account).message.startswith("learned 576 rows from 2026-10-30T02:45:00Z")


def test_registering_again_changes_nothing(account: Account, scored: dict[str, Any]) -> None:
    first = account.invoke("register_model", scored)
    before = account.registry.detectors.get(DETECTOR).models

    assert account.invoke("register_model", scored) == first
    assert account.registry.detectors.get(DETECTOR).models == before


def test_the_current_and_the_previous_model_are_kept_and_older_ones_deleted(
    account: Account, scored: dict[str, Any]
) -> None:
    for month in (8, 9, 10):
        name = f"cutwatch-of-month-{month}"
        account.sagemaker.models[name] = {}
        account.registry.detectors.add_model(
            DETECTOR, a_model(name, scheduled_time=f"2026-{month:02}-01T03:00:00Z")
        )

    account.invoke("register_model", scored)

    kept = [model.name for model in account.registry.detectors.get(DETECTOR).models]
    assert kept == [NAME, "cutwatch-of-month-10"]
    assert set(account.sagemaker.models) == {"cutwatch-of-month-10"}


def test_a_model_that_cannot_be_deleted_stays_registered_for_the_next_time(
    account: Account, scored: dict[str, Any]
) -> None:
    for month in (8, 9):
        account.sagemaker.models[f"cutwatch-of-month-{month}"] = {}
        model = a_model(
            f"cutwatch-of-month-{month}", scheduled_time=f"2026-{month:02}-01T03:00:00Z"
        )
        account.registry.detectors.add_model(DETECTOR, model)
    account.sagemaker.refuse("DeleteModel", "AccessDeniedException")

    account.invoke("register_model", scored)

    assert outcome(account).status == "TRAINED"
    assert len(account.registry.detectors.get(DETECTOR).models) == 3


def test_a_model_whose_deletion_is_throttled_is_deleted_by_the_retry(
    account: Account, scored: dict[str, Any]
) -> None:
    for month in (8, 9):
        account.sagemaker.models[f"cutwatch-of-month-{month}"] = {}
        model = a_model(
            f"cutwatch-of-month-{month}", scheduled_time=f"2026-{month:02}-01T03:00:00Z"
        )
        account.registry.detectors.add_model(DETECTOR, model)
    account.sagemaker.refuse("DeleteModel", "ThrottlingException")

    with pytest.raises(Throttled):
        account.invoke("register_model", scored)

    assert outcome(account).status == "TRAINED"


def test_scores_that_do_not_fit_the_rows_register_nothing(
    account: Account, scored: dict[str, Any]
) -> None:
    write_scores(account, SCORES[:-1])

    assert account.invoke("register_model", scored) == {"models": []}
    assert outcome(account).message.startswith("MalformedScores: ")
    assert "575 scores for 576 rows" in outcome(account).message
    assert account.registry.detectors.get(DETECTOR).models == ()


def test_scores_that_were_never_written_are_named(account: Account, scored: dict[str, Any]) -> None:
    scored["scoring"]["name"] = "cutwatch-another-job"

    account.invoke("register_model", scored)

    assert "the transform job wrote no s3://" in outcome(account).message
    assert "/cutwatch-another-job/" in outcome(account).message
