from cutwatch.aws.clients import client
from tests.support.account import Account
from tests.support.builders import NOON, a_model, an_outcome

RUN = "transform-20261102T120000Z"


def test_what_runs_did_expires_and_what_detectors_know_does_not(account: Account) -> None:
    account.registry.runs.open(RUN, NOON)
    account.registry.outcomes.record(RUN, NOON, an_outcome())
    account.registry.detectors.add_model("orders", a_model())

    items = client("dynamodb").scan(TableName=account.table)["Items"]
    expiring = {item["sk"]["S"] for item in items if "expires_at" in item}
    assert expiring == {"RUN", "OUTCOME#orders"}
    attribute = account.stack.properties("Registry")["TimeToLiveSpecification"]["AttributeName"]
    assert attribute == "expires_at"
