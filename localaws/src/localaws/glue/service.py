"""StartJobRun, GetJobRun, GetJobRuns and BatchStopJobRun; MiniStack keeps the jobs themselves."""

import threading
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from localaws.api_request import ApiRequest, operation_model
from localaws.api_response import ApiError
from localaws.embedded_ministack import account_scope, service
from localaws.glue.job_runs import UNFINISHED, JobRun, JobRunner
from localaws.limits import GLUE_JOB_MAX_CONCURRENT_RUNS, GLUE_JOB_TIMEOUT_MINUTES
from localaws.request_validation import problems

_Parameters = Mapping[str, Any]
_KINDS = ("glueetl",)
_WITHOUT_EFFECT = ("JobRunId", "SecurityConfiguration", "MaxCapacity", "AllocatedCapacity")


class Glue:
    """Runs of jobs, by job, oldest first."""

    def __init__(self, region: str, runner: JobRunner) -> None:
        self._region = region
        self._runner = runner
        self._lock = threading.Lock()
        self._runs: dict[str, list[JobRun]] = {}
        self._operations: Mapping[str, Callable[[_Parameters], dict[str, Any]]] = {
            "StartJobRun": self._start,
            "GetJobRun": self._get,
            "GetJobRuns": self._list,
            "BatchStopJobRun": self._stop,
        }

    def serves(self, operation: str) -> bool:
        return operation in self._operations

    def answer(self, request: ApiRequest) -> Mapping[str, Any]:
        _validate(request)
        return self._operations[request.operation](request.parameters)

    def _start(self, parameters: _Parameters) -> dict[str, Any]:
        for name in _WITHOUT_EFFECT:
            if name in parameters:
                raise _invalid(f"The local AWS does not implement {name} of StartJobRun")
        job = self._job(parameters["JobName"])
        with self._lock:
            runs = self._runs.setdefault(job["Name"], [])
            at_once = (job.get("ExecutionProperty") or {}).get("MaxConcurrentRuns")
            unfinished = [each for each in runs if self._current(each).state in UNFINISHED]
            if len(unfinished) >= (at_once or GLUE_JOB_MAX_CONCURRENT_RUNS):
                raise ApiError(
                    "ConcurrentRunsExceededException", f"Concurrent runs exceeded for {job['Name']}"
                )
            run = self._new(job, parameters)
            runs.append(run)
        self._runner.start(run)
        return {"JobRunId": run.id}

    def _new(self, job: Mapping[str, Any], parameters: _Parameters) -> JobRun:
        given, name = parameters.get("Arguments", {}), job["Name"]
        run_id = f"jr_{uuid.uuid4().hex}{uuid.uuid4().hex}"
        arguments = {
            **(job.get("DefaultArguments") or {}),
            "--JOB_NAME": name,
            "--JOB_RUN_ID": run_id,
            **given,
            **(job.get("NonOverridableArguments") or {}),
        }
        capacity = {
            key: parameters.get(key, job.get(key)) for key in ("WorkerType", "NumberOfWorkers")
        }
        return JobRun(
            run_id,
            name,
            job["Role"],
            job["Command"]["ScriptLocation"],
            arguments,
            given,
            int(parameters.get("Timeout") or job.get("Timeout") or GLUE_JOB_TIMEOUT_MINUTES),
            {**capacity, "GlueVersion": job["GlueVersion"]},
            self._runner.clock.now(),
        )

    def _get(self, parameters: _Parameters) -> dict[str, Any]:
        run = self._find(parameters["JobName"], parameters["RunId"])
        if run is None:
            raise ApiError("EntityNotFoundException", f"Job run {parameters['RunId']} not found")
        return {"JobRun": run.described()}

    def _list(self, parameters: _Parameters) -> dict[str, Any]:
        """Return one page, newest first."""
        name = self._job(parameters["JobName"])["Name"]
        start, most = int(parameters.get("NextToken", 0)), parameters.get("MaxResults", 1_000)
        runs = [self._current(each) for each in reversed(self._runs.get(name, []))]
        more = {"NextToken": str(start + most)} if start + most < len(runs) else {}
        return {"JobRuns": [each.described() for each in runs[start : start + most]], **more}

    def _stop(self, parameters: _Parameters) -> dict[str, Any]:
        name, stopped, errors = parameters["JobName"], [], []
        for run_id in parameters["JobRunIds"]:
            run = self._find(name, run_id)
            problem = _why_not_stopped(run)
            if run is not None and problem is None:
                self._runner.request_stop(run)
                stopped.append({"JobName": name, "JobRunId": run_id})
            else:
                errors.append({"JobName": name, "JobRunId": run_id, "ErrorDetail": problem})
        return {"SuccessfulSubmissions": stopped, "Errors": errors}

    def _find(self, job: str, run_id: str) -> JobRun | None:
        runs = self._runs.get(job, [])
        return next((self._current(each) for each in runs if each.id == run_id), None)

    def _current(self, run: JobRun) -> JobRun:
        self._runner.bring_up_to_date(run)
        return run

    def _job(self, name: str) -> Mapping[str, Any]:
        with account_scope(self._region):
            job: Mapping[str, Any] | None = service("glue")._jobs.get(name)
        if job is None:
            raise ApiError("EntityNotFoundException", f"Job {name} not found")
        kind = job["Command"].get("Name")
        if kind not in _KINDS:
            raise _invalid(f"The local AWS does not run jobs of kind {kind}, only {_KINDS[0]}")
        return job


def _why_not_stopped(run: JobRun | None) -> dict[str, str] | None:
    if run is None:
        return {"ErrorCode": "EntityNotFoundException", "ErrorMessage": "Job run not found"}
    if run.state not in ("STARTING", "RUNNING"):
        message = f"Job run is in state {run.state}"
        return {"ErrorCode": "InvalidInputException", "ErrorMessage": message}
    return None


def _validate(request: ApiRequest) -> None:
    """Refuse what Glue's model does not allow, under Glue's own code."""
    shape = operation_model("glue", request.operation).input_shape
    found = problems(request.parameters, shape) if shape is not None else []
    if found:
        raise _invalid(f"{len(found)} validation error detected: {'; '.join(found)}")


def _invalid(message: str) -> ApiError:
    return ApiError("InvalidInputException", message)
