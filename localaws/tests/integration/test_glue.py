"""Runs of Glue jobs. Their scripts are plain Python here; tests/spark has those of Spark."""

import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws import LocalAws
from localaws.glue.spark import Spark
from support.roles import allow, create_role

JOB, ROLE = "prepare", "glue-job"
# The copy of S3 is the folder `s3` beside the script.
SCRIPT = """
    import sys
    from pathlib import Path
    options = dict(zip(sys.argv[1::2], sys.argv[2::2]))
    if options["--export"].endswith("broken/"):
        raise ValueError("the export is partial")
    bucket = Path("s3") / options["--rows"].split("/")[2]
    text = (bucket / "export" / "a.json").read_text()
    (bucket / "rows").mkdir(exist_ok=True)
    (bucket / "rows" / "part-0.csv").write_text(text.upper() + options["--JOB_NAME"])
    (bucket / "rows" / ".part-0.csv.crc").write_text("of Hadoop")
    (bucket / "rows" / "old.csv").unlink(missing_ok=True)
"""


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws(spark_python=Path(sys.executable)) as running:
        yield running


@pytest.fixture(autouse=True)
def _forget_runs(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.glue.forget()
    monkeypatch.setattr(Spark, "missing", lambda _: "")


@pytest.fixture(scope="module")
def glue(aws: LocalAws, bucket: str) -> Any:
    """A client of a Glue with one job, whose role may read the script and the export, and write rows."""
    s3 = aws.client("s3")
    for key, text in (("job.py", dedent(SCRIPT)), ("export/a.json", "items"), ("rows/old.csv", "1")):  # fmt: skip
        s3.put_object(Bucket=bucket, Key=key, Body=text.encode())
    trust = {"Version": "2012-10-17", "Statement": []}
    role = create_role(aws, ROLE, trust, rights(bucket))
    client = aws.client("glue")
    client.create_job(
        Name=JOB,
        Role=role,
        Command={"Name": "glueetl", "ScriptLocation": f"s3://{bucket}/job.py"},
        DefaultArguments={"--rows": f"s3://{bucket}/rows/"},
        GlueVersion="5.0",
        WorkerType="G.1X",
        NumberOfWorkers=2,
        Timeout=30,
    )
    return client


def rights(bucket: str, *more: str) -> list[dict[str, Any]]:
    place = f"arn:aws:s3:::{bucket}"
    read = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
    return [
        {"Effect": "Allow", "Action": read, "Resource": f"{place}/*"},
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": place},
    ]


def start(glue: Any, bucket: str, export: str = "export/", **more: Any) -> str:
    arguments = {"--export": f"s3://{bucket}/{export}"}
    return str(glue.start_job_run(JobName=JOB, Arguments=arguments, **more)["JobRunId"])


def look(glue: Any, run: str) -> dict[str, Any]:
    found: dict[str, Any] = glue.get_job_run(JobName=JOB, RunId=run)["JobRun"]
    return found


def ended(aws: LocalAws, glue: Any, run: str) -> dict[str, Any]:
    unfinished = ("STARTING", "RUNNING", "STOPPING")
    with aws.clock.busy():
        aws.clock.wait_until(lambda: look(glue, run)["JobRunState"] not in unfinished, 7_200)
    return look(glue, run)


def test_a_run_really_runs_its_script_on_what_the_jobs_role_sees(
    aws: LocalAws, glue: Any, bucket: str
) -> None:
    with aws.clock.busy():
        run = start(glue, bucket)
        assert look(glue, run)["JobRunState"] == "STARTING"
        with pytest.raises(ClientError, match="ConcurrentRunsExceededException"):
            start(glue, bucket)
    described = ended(aws, glue, run)
    assert described["JobRunState"] == "SUCCEEDED", described
    assert described["ExecutionTime"] >= 60
    s3 = aws.client("s3")
    listed = s3.list_objects_v2(Bucket=bucket, Prefix="rows/")["Contents"]
    assert [each["Key"] for each in listed] == ["rows/part-0.csv"]
    written = s3.get_object(Bucket=bucket, Key="rows/part-0.csv")["Body"].read()
    assert written == b"ITEMS" + JOB.encode()


def test_a_script_that_raises_fails_its_run_with_the_exception(
    aws: LocalAws, glue: Any, bucket: str
) -> None:
    described = ended(aws, glue, start(glue, bucket, "broken/"))
    assert described["JobRunState"] == "FAILED"
    assert described["ErrorMessage"] == "ValueError: the export is partial"


def test_a_role_without_a_right_fails_the_run(aws: LocalAws, glue: Any, bucket: str) -> None:
    allow(aws, ROLE, rights(bucket)[:1])
    try:
        described = ended(aws, glue, start(glue, bucket))
    finally:
        allow(aws, ROLE, rights(bucket))
    assert described["JobRunState"] == "FAILED"
    assert "s3:ListBucket" in described["ErrorMessage"]


def test_runs_fail_stop_and_hang_on_demand(aws: LocalAws, glue: Any, bucket: str) -> None:
    aws.glue.fail(lambda job: job == JOB, "no capacity", times=1)
    failed = ended(aws, glue, start(glue, bucket))
    assert (failed["JobRunState"], failed["ErrorMessage"]) == ("FAILED", "no capacity")
    aws.glue.stop(lambda job: job == JOB, times=1)
    assert ended(aws, glue, start(glue, bucket))["JobRunState"] == "STOPPED"
    aws.glue.hang(lambda job: job == JOB, times=1)
    waiting = start(glue, bucket)
    # A timeout counts from the time at which a run has its workers.
    assert ended(aws, glue, waiting)["JobRunState"] == "STARTING"
    glue.batch_stop_job_run(JobName=JOB, JobRunIds=[waiting])
    assert ended(aws, glue, waiting)["JobRunState"] == "STOPPED"


def test_a_run_beyond_its_timeout_writes_nothing(
    aws: LocalAws, glue: Any, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aws.glue, "running_seconds", 600)
    aws.client("s3").delete_object(Bucket=bucket, Key="rows/part-0.csv")
    described = ended(aws, glue, start(glue, bucket, Timeout=5))
    assert (described["JobRunState"], described["ExecutionTime"]) == ("TIMEOUT", 300)
    assert "Contents" not in aws.client("s3").list_objects_v2(Bucket=bucket, Prefix="rows/")


def test_a_stopped_run_stops_in_its_time_and_what_has_ended_cannot_be_stopped(
    aws: LocalAws, glue: Any, bucket: str
) -> None:
    aws.glue.hang(lambda job: job == JOB, times=1)
    with aws.clock.busy():
        run = start(glue, bucket)
        answer = glue.batch_stop_job_run(JobName=JOB, JobRunIds=[run, "jr_unknown"])
        assert [each["JobRunId"] for each in answer["SuccessfulSubmissions"]] == [run]
        [error] = answer["Errors"]
        assert error["ErrorDetail"]["ErrorCode"] == "EntityNotFoundException"
        assert look(glue, run)["JobRunState"] == "STOPPING"
    assert ended(aws, glue, run)["JobRunState"] == "STOPPED"
    [error] = glue.batch_stop_job_run(JobName=JOB, JobRunIds=[run])["Errors"]
    assert error["ErrorDetail"]["ErrorMessage"] == "Job run is in state STOPPED"


def test_a_list_has_the_runs_of_a_job_newest_first(aws: LocalAws, glue: Any, bucket: str) -> None:
    runs = []
    for _ in range(2):
        runs.append(start(glue, bucket))
        ended(aws, glue, runs[-1])
    listed = glue.get_job_runs(JobName=JOB, MaxResults=2)["JobRuns"]
    assert [each["Id"] for each in listed] == runs[::-1]


def test_what_is_not_implemented_is_refused_by_name(glue: Any, bucket: str) -> None:
    with pytest.raises(ClientError, match="MaxCapacity of StartJobRun"):
        start(glue, bucket, MaxCapacity=2.0)
    with pytest.raises(ClientError, match="EntityNotFoundException"):
        glue.start_job_run(JobName="unknown")


def test_without_java_a_run_fails_with_one_line(
    aws: LocalAws, glue: Any, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    monkeypatch.setattr("shutil.which", lambda _: None)
    described = ended(aws, glue, start(glue, bucket))
    assert (described["JobRunState"], described["ErrorMessage"]) == (
        "FAILED",
        "Glue jobs run by PySpark, and there is no java on the PATH",
    )
