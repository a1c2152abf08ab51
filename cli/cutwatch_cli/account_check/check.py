"""The steps of a check, and removal whatever happens."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from cutwatch.errors import CutwatchError
from cutwatch_cli.account_check import sam
from cutwatch_cli.account_check.facts import FACTS, Checked, Differs
from cutwatch_cli.account_check.generated_metric import publish_history, publish_spike, whole_period
from cutwatch_cli.account_check.plan import announcements
from cutwatch_cli.account_check.removal import remove
from cutwatch_cli.account_check.throwaway import Throwaway
from cutwatch_cli.replay.application import staged
from cutwatch_cli.stacks.account import Account, error_code, explanation, time_of
from cutwatch_cli.stacks.deployment import Deployment, find_deployment
from cutwatch_cli.stacks.refusal import Refused
from cutwatch_cli.stacks.run_history import parse_run
from cutwatch_cli.stacks.started_run import StartedRun, Verdict, start, wait

Say = Callable[[str], None]
_SCORED = timedelta(minutes=2)
_PAUSE_SECONDS = 2


@dataclass
class Result:
    """Result of a check: facts that differ, a step that failed, and parts that remain in the account."""

    differing: list[str] = field(default_factory=list)
    failure: str | None = None
    remaining: list[str] = field(default_factory=list)

    @property
    def succeeded(self) -> bool:
        """True if every fact holds and nothing remains."""
        return not (self.differing or self.failure or self.remaining)


def check_absent(throwaway: Throwaway) -> None:
    """Raise `Refused` if there is a stack of that name, in any state."""
    try:
        described = throwaway.account.client("cloudformation").describe_stacks(
            StackName=throwaway.stack
        )
    except ClientError as error:
        if "does not exist" not in str(error):
            raise
        return
    status = described["Stacks"][0]["StackStatus"]
    raise Refused(
        f"stack {throwaway.stack!r} exists ({status}); account-check deletes its stack, so choose a new name"
    )


def run(throwaway: Throwaway, say: Say, *, build: bool) -> Result:
    """Do every step; remove everything afterwards, also after a failure or an interruption."""
    result = Result()
    try:
        _steps(throwaway, _announcing(throwaway, say), say, result, build=build)
    except (Refused, CutwatchError, ClientError, BotoCoreError) as error:
        refusal = isinstance(error, Refused | CutwatchError)
        result.failure = str(error) if refusal else explanation(error, throwaway.account.region)
        say(f"FAILED: {result.failure}")
    finally:
        _announcing(throwaway, say)("remove")
        result.remaining = remove(throwaway)
        for remaining in result.remaining:
            say(f"REMAINS {remaining}")
    return result


def _steps(throwaway: Throwaway, begin: Say, say: Say, result: Result, *, build: bool) -> None:
    begin("deploy")
    _create_bucket(throwaway.account, throwaway.artefacts)
    with staged(throwaway.detectors, throwaway.settings) as template:
        sam.deploy(sam.build(template, throwaway) if build else template, throwaway)
    deployment = find_deployment(throwaway.account, throwaway.stack)
    begin("publish")
    say(f"  {publish_history(throwaway, deployment.now)}")
    begin("training")
    training = start(deployment, "training", [])
    runs = {"training": _ended(deployment, training, say)}
    begin("transform")
    since = whole_period(_scheduled(training))
    say(f"  {publish_spike(throwaway, since, _when_scorable(throwaway, since))}")
    runs["transform"] = _ended(deployment, start(deployment, "transform", []), say)
    begin("facts")
    for name, fact in FACTS.items():
        say(_compared(name, fact, Checked(throwaway, deployment, runs), result))


def _compared(name: str, fact: Callable[[Checked], str], checked: Checked, result: Result) -> str:
    try:
        return f"  ok       {name}: {fact(checked)}"
    except (Differs, ClientError) as error:
        result.differing.append(name)
        return f"  DIFFERS  {name}: {error}"


def _ended(deployment: Deployment, started: StartedRun, say: Say) -> Verdict:
    verdict = wait(deployment, started, lambda _: None)
    say(f"  {next(iter(verdict.lines()))}")
    return verdict


def _scheduled(started: StartedRun) -> datetime:
    run = parse_run(started.run)
    assert run is not None  # noqa: S101 - it is the id of a run
    return run.scheduled


def _when_scorable(throwaway: Throwaway, since: datetime) -> datetime:
    """Wait until a transform has enough periods to score, and return the end of the last."""
    while True:
        end = whole_period(identity(throwaway.account)[1])
        if end - since >= _SCORED:
            return end
        time.sleep(_PAUSE_SECONDS)


def _create_bucket(account: Account, bucket: str) -> None:
    """Create a bucket, unless an interrupted check left it behind."""
    place = {"CreateBucketConfiguration": {"LocationConstraint": account.region}}
    try:
        account.client("s3").create_bucket(
            Bucket=bucket, **(place if account.region != "us-east-1" else {})
        )
    except ClientError as error:
        if error_code(error) != "BucketAlreadyOwnedByYou":
            raise


def _announcing(throwaway: Throwaway, say: Say) -> Say:
    lines = announcements(throwaway)
    return lambda step: say(lines[step])


def identity(account: Account) -> tuple[str, Any]:
    """Return the account's number and its time."""
    answer = account.client("sts").get_caller_identity()
    return str(answer["Account"]), time_of(answer)
