"""List Detectors opens a run and writes the list that the Map reads."""

import json
from pathlib import Path
from typing import Any

import pytest

from cutwatch.detectors.detector import Detector
from cutwatch.detectors.detectors_file import load_configuration
from cutwatch.errors import InvalidDetectors, InvalidInput
from cutwatch.registry.detector_record import Model
from tests.support.account import Account
from tests.support.builders import NOON, a_model
from tests.support.project import PROJECT
from tests.support.sample_events import sample

TWO = """
detectors:
  - {name: orders, namespace: Shop, metric: Orders, statistic: Sum}
  - {name: refunds, namespace: Shop, metric: Refunds, statistic: Sum}
"""


@pytest.fixture
def two_detectors(tmp_path: Path) -> str:
    file = tmp_path / "detectors.yaml"
    file.write_text(TWO)
    return str(file)


def model_of(file: str, name: str) -> Model:
    [detector] = [each for each in load_configuration(Path(file)).detectors if each.name == name]
    return a_model(f"model-of-{name}", detector)


def batches(account: Account, answer: dict[str, Any], engine: str = "sagemaker") -> list[list[str]]:
    listed = account.store.read_json(answer["engines"][engine]["key"])
    assert len(listed) == answer["engines"][engine]["batches"]
    return [[each["name"] for each in batch["detectors"]] for batch in listed]


def listed(account: Account, answer: dict[str, Any]) -> list[str]:
    return [name for batch in batches(account, answer) for name in batch]


def test_the_shipped_detectors_are_listed_as_the_next_state_reads_them(account: Account) -> None:
    answer = account.invoke("list_detectors", sample("list_detectors"))

    of_sagemaker = answer["engines"]["sagemaker"]
    assert of_sagemaker["bucket"] == account.bucket
    shipped = load_configuration(PROJECT / "functions" / "detectors.yaml").detectors
    assert account.store.read_json(of_sagemaker["key"]) == json.loads(
        json.dumps([{"detectors": [detector.to_payload()]} for detector in shipped])
    )
    assert (answer["count"], answer["to_train"]) == (1, 1)


def test_the_run_is_that_of_the_scheduled_time_and_its_now_that_of_its_start(
    account: Account,
) -> None:
    answer = account.invoke("list_detectors", sample("list_detectors"))

    assert answer["run"] == {
        "id": "transform-20261102T040000Z",
        "kind": "transform",
        "scheduled_time": "2026-11-02T04:00:00Z",
        "now": "2026-11-02T04:00:03Z",
        "on_demand": False,
        "narrowed": False,
    }


def test_the_same_event_again_opens_the_same_run_with_the_same_now(account: Account) -> None:
    event = sample("list_detectors")
    first = account.invoke("list_detectors", event)

    again = account.invoke("list_detectors", event | {"started": "2026-11-02T09:30:00.000Z"})

    assert again == first


def test_a_run_repeated_after_two_weeks_gets_a_now_that_cloudwatch_still_accepts(
    account: Account,
) -> None:
    event = sample("list_detectors")
    account.invoke("list_detectors", event)

    again = account.invoke("list_detectors", event | {"started": "2026-11-20T09:30:00.000Z"})

    assert again["run"]["now"] == "2026-11-20T09:30:00Z"


def test_an_execution_without_a_scheduled_time_is_the_run_of_its_start(account: Account) -> None:
    answer = account.invoke("list_detectors", sample("list_detectors") | {"event": {}})

    assert answer["run"]["scheduled_time"] == "2026-11-02T04:00:03Z"


def test_detectors_without_a_usable_model_are_counted(account: Account, two_detectors: str) -> None:
    account.registry.detectors.add_model("orders", model_of(two_detectors, "orders"))
    account.registry.detectors.add_model("refunds", a_model(fingerprint="of another recipe"))

    answer = account.invoke(
        "list_detectors", sample("list_detectors"), DETECTORS_FILE=two_detectors
    )

    assert (answer["count"], answer["to_train"]) == (2, 1)
    assert answer["why_train"] == {
        "refunds": "model model-1 was made for another metric or recipe, or by an older version"
    }
    assert listed(account, answer) == ["orders", "refunds"]


def test_training_on_demand_lists_only_those_without_a_usable_model(
    account: Account, two_detectors: str
) -> None:
    account.registry.detectors.add_model("orders", model_of(two_detectors, "orders"))
    event = sample("list_detectors") | {"kind": "training"}
    event["event"] |= {"on_demand": True}

    answer = account.invoke("list_detectors", event, DETECTORS_FILE=two_detectors)

    assert listed(account, answer) == ["refunds"]
    assert answer["run"]["id"] == "training-20261102T040000Z-on-demand"


def test_a_run_can_be_narrowed_to_some_detectors(account: Account, two_detectors: str) -> None:
    event = sample("list_detectors")
    event["event"]["detectors"] = ["refunds"]

    answer = account.invoke("list_detectors", event, DETECTORS_FILE=two_detectors)

    assert listed(account, answer) == answer["narrowed_to"] == ["refunds"]


def test_an_unknown_detector_is_refused_with_the_name_that_was_perhaps_meant(
    account: Account, two_detectors: str
) -> None:
    event = sample("list_detectors")
    event["event"]["detectors"] = ["refund"]

    with pytest.raises(InvalidInput, match="did you mean 'refunds'"):
        account.invoke("list_detectors", event, DETECTORS_FILE=two_detectors)


@pytest.mark.parametrize("names", [[], "orders", [1], {"orders": 1}])
def test_a_malformed_list_of_names_is_refused(account: Account, names: object) -> None:
    event = sample("list_detectors")
    event["event"]["detectors"] = names

    with pytest.raises(InvalidInput, match="expected a list of detector names"):
        account.invoke("list_detectors", event)


def test_mistakes_in_the_file_end_the_run_before_anything_is_started(
    account: Account, tmp_path: Path
) -> None:
    file = tmp_path / "detectors.yaml"
    file.write_text("detectors: [{name: orders}]")

    with pytest.raises(InvalidDetectors, match="detector 'orders': metric: is missing"):
        account.invoke("list_detectors", sample("list_detectors"), DETECTORS_FILE=str(file))
    assert account.keys() == []


EXPRESSION = """
detectors:
  - {name: orders, namespace: Shop, metric: Orders, statistic: Sum}
  - name: error-rate
    expression: 100 * errors / requests
    metrics:
      errors: {namespace: Shop, metric: Errors, statistic: Sum}
      requests: {namespace: Shop, metric: Requests, statistic: Sum}
"""


def test_a_detector_of_an_expression_is_listed_like_any_other(
    account: Account, tmp_path: Path
) -> None:
    file = tmp_path / "detectors.yaml"
    file.write_text(EXPRESSION)

    answer = account.invoke("list_detectors", sample("list_detectors"), DETECTORS_FILE=str(file))

    written = account.store.read_json(answer["engines"]["sagemaker"]["key"])
    read_back = {
        each["name"]: Detector.from_payload(each)
        for batch in written
        for each in batch["detectors"]
    }
    assert read_back == {each.name: each for each in load_configuration(file).detectors}


def fleet_file(folder: Path, count: int, **fields: str) -> str:
    detectors = [
        {"name": f"m{n}", "namespace": "Shop", "metric": f"M{n}", "statistic": "Sum", **fields}
        for n in range(count)
    ]
    file = folder / "fleet.yaml"
    file.write_text(json.dumps({"detectors": detectors}))
    return str(file)


def test_detectors_inside_lambda_come_in_batches_and_those_of_sagemaker_one_by_one(
    account: Account, tmp_path: Path
) -> None:
    file = fleet_file(tmp_path, 7, engine="lambda")
    of_sagemaker = {"name": "slow", "namespace": "Shop", "metric": "M", "statistic": "Sum"}
    document = json.loads(Path(file).read_text())
    document["detectors"].insert(3, of_sagemaker)
    Path(file).write_text(json.dumps(document))

    answer = account.invoke(
        "list_detectors", sample("list_detectors"), DETECTORS_FILE=file, BATCH_SIZE="3"
    )

    assert [len(batch) for batch in batches(account, answer, "lambda")] == [3, 3, 1]
    assert batches(account, answer, "sagemaker") == [["slow"]]
    names = account.store.read_json(f"runs/{answer['run']['id']}/detectors.json")
    assert sorted(names) == sorted([*(f"m{n}" for n in range(7)), "slow"])


def test_detectors_of_one_window_stand_next_to_each_other(account: Account, tmp_path: Path) -> None:
    file = fleet_file(tmp_path, 4, engine="lambda")
    for name in ("m0", "m2"):
        account.registry.detectors.advance(name, NOON, "run", None, None)

    answer = account.invoke(
        "list_detectors", sample("list_detectors"), DETECTORS_FILE=file, BATCH_SIZE="2"
    )

    assert batches(account, answer, "lambda") == [["m1", "m3"], ["m0", "m2"]]


def test_a_stack_without_sagemaker_says_so_of_each_detector_that_wants_it(
    account: Account, two_detectors: str
) -> None:
    answer = account.invoke(
        "list_detectors",
        sample("list_detectors"),
        DETECTORS_FILE=two_detectors,
        SAGEMAKER_ENGINE="DISABLED",
    )

    assert answer["count"] == 0
    outcome = account.registry.outcomes.get(answer["run"]["id"], "orders")
    assert outcome is not None
    assert outcome.status == "FAILED"
    assert "set engine: lambda" in outcome.message


TEMPLATES = """
engine: lambda
detectors:
  - {name: queue, for_each: Queue, namespace: Shop, metric: Waiting, statistic: Maximum}
  - {name: shelf, for_each: Shelf, namespace: Shop, metric: Empty, statistic: Maximum}
"""


def test_a_template_is_listed_as_its_detectors_and_one_that_finds_nothing_as_its_failure(
    account: Account, tmp_path: Path
) -> None:
    for queue in ("mail", "orders"):
        account.put_metric("Shop", "Waiting", NOON, [1.0], {"Queue": queue})
    file = tmp_path / "detectors.yaml"
    file.write_text(TEMPLATES)

    answer = account.invoke("list_detectors", sample("list_detectors"), DETECTORS_FILE=str(file))

    assert batches(account, answer, "lambda") == [["queue-mail", "queue-orders"]]
    [outcome] = account.registry.outcomes.of_run(answer["run"]["id"])
    assert (outcome.detector, outcome.status) == ("shelf", "FAILED")
    assert outcome.message.startswith("TemplateExpansion: template 'shelf': 0 detectors")


def test_a_model_of_the_other_engine_is_not_used_and_the_answer_says_so(
    account: Account, tmp_path: Path
) -> None:
    file = fleet_file(tmp_path, 1, engine="lambda")
    account.registry.detectors.add_model("m0", a_model("of-sagemaker"))

    answer = account.invoke("list_detectors", sample("list_detectors"), DETECTORS_FILE=file)

    assert answer["why_train"] == {
        "m0": "model of-sagemaker was made by engine sagemaker, not lambda"
    }
