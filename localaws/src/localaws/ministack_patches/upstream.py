"""Every attribute of MiniStack that is patched, and what MiniStack does without the patch."""

from collections.abc import Mapping

UPSTREAM: Mapping[str, str] = {
    # CloudFormation
    "cloudformation.provisioners._RESOURCE_HANDLERS": "makes streams and mappings past their APIs, unchecked",
    "cloudformation.provisioners._STACK_TAG_PROPERTY": "gives buckets no tags of their stack",
    "cloudformation.provisioners._cw_metric_alarm_put": "drops Metrics and checks few of CloudWatch's rules",
    "cloudformation.changesets._evaluate_conditions": "compares Fn::FindInMap unresolved, so such a condition never holds",
    "cloudformation.engine._evaluate_conditions": "as changesets._evaluate_conditions",
    "cloudformation.handlers._evaluate_conditions": "as changesets._evaluate_conditions",
    "cloudformation.stacks._evaluate_conditions": "as changesets._evaluate_conditions",
    "cloudformation.changesets._resolve_template": "keeps the URLs that the SAM CLI gives nested templates",
    "cloudformation.handlers._resolve_template": "as changesets._resolve_template",
    "cloudformation.provisioners._physical_name": "cuts the logical id of long names and keeps the whole stack's name",
    "cloudformation.provisioners._provision_resource": "ignores properties that it does not know, takes code for any processor, and leaves what a failed nested stack made",
    "cloudformation.provisioners._update_resource": "ignores changed properties that it does not know",
    "cloudformation.stacks._provision_resource": "as provisioners._provision_resource, for the root stack",
    "cloudformation.stacks._update_resource": "as provisioners._update_resource, for the root stack",
    "cloudformation.stacks._validation_errors": "accepts resource types and properties that have no effect",
    # CloudWatch
    "cloudwatch._dispatch_alarm_actions": "sends a message of its own form and asks no topic's or key's policy",
    "cloudwatch._evaluate_alarm": "compares one statistic over the whole range, whatever the dimensions",
    "cloudwatch._evaluate_all_alarms": "as _evaluate_alarm, and only for the present minute",
    "cloudwatch.record_metric": "keeps metrics in a store that GetMetricData and alarms here do not read",
    # CloudWatch Logs
    "cloudwatch_logs._append_log_events": "stores metric filters and publishes nothing",
    "cloudwatch_logs._put_metric_filter": "takes every pattern and transformation",
    # EventBridge
    "eventbridge._dispatch_to_lambda": "lets the clock skip past a function that it has started",
    "eventbridge._invoke_target": "delivers without the target's role, and has no dead-letter queues of targets",
    # Lambda
    "lambda_svc._ACCOUNT_CONCURRENCY_CAP": "throttles at a number that depends on the machine",
    "lambda_svc._create_esm": "stores batching windows, retries, splits and destinations without effect",
    "lambda_svc._delete_esm": "knows mappings of its own pollers only",
    "lambda_svc._emit_lambda_metrics": "counts direct invocations only, and throttled ones as invocations",
    "lambda_svc._execute_function": "counts no invocations by state machines, rules and topics",
    "lambda_svc._execute_function_warm": "reports every exception as Runtime.HandlerError and ends its process",
    "lambda_svc._poll_dynamodb_streams": "has one shard that never rolls, and forgets reported failures",
    "lambda_svc._poll_kinesis": "reads a store of its own past the role, retries for ever and forgets reported failures",
    "lambda_svc._update_esm": "as _create_esm",
    "lambda_svc.invoke_async_with_retry": "lets the clock skip past a function that it has started, and retries in real time",
    # MSK
    "msk._bootstrap_strings": "knows brokers from its environment variables only",
    # SNS
    "sns._fanout": "drops messages to email subscriptions",
    # Step Functions
    "stepfunctions.ThreadPoolExecutor": "runs a Map's items in threads that the clock does not know",
    "stepfunctions._add_event": "links no events, calls a function's events a task's, and sets no limits",
    "stepfunctions._call_lambda": "asks no role, reports throttling as Lambda.Unknown and parses strings as JSON",
    "stepfunctions._create_state_machine": "accepts and ignores fields that it does not implement",
    "stepfunctions._emit_execution_status_event": "counts no executions as metrics",
    "stepfunctions._error_matches": "lets States.ALL catch States.Runtime and States.DataLimitExceeded",
    "stepfunctions._evaluate_rule": "takes null for absent, and cannot compare timestamps or strings by path",
    "stepfunctions._find_matching_retrier": "waits a minute at most, without MaxDelaySeconds and JitterStrategy",
    "stepfunctions._invoke_nested_start_execution_sync": "asks no role and reports the child's own error name",
    "stepfunctions._invoke_resource_with_timeout": "measures the timeout of a nested execution in real time",
    "stepfunctions._list_executions": "lists nothing for a state machine that does not exist",
    "stepfunctions._resolve_path": "resolves a path that leads nowhere to null",
    "stepfunctions._run_distributed_map": "ignores the Path spellings of limits, writes no events of Map Runs",
    "stepfunctions._run_execution": "sleeps first, knows no role and no timeout of a whole execution",
    "stepfunctions._run_sub_machine": "writes no events of iterations and child executions",
    "stepfunctions._s3_object_text": "asks no role",
    "stepfunctions._scaled_sleep": "sleeps in real time",
    "stepfunctions._start_execution": "refuses the same start twice instead of returning the execution",
    "stepfunctions._update_state_machine": "accepts and ignores fields that it does not implement",
    "stepfunctions.futures_wait": "blocks while the clock waits for it",
}
