"""Requests for endpoint configurations and for deployments."""

from typing import Any

from cutwatch.endpoints.settings import EndpointSettings

Tags = list[dict[str, str]]
Request = dict[str, Any]


def endpoint_config_request(settings: EndpointSettings, model: str, tags: Tags) -> Request:
    """Return the arguments of `CreateEndpointConfig`: one variant, with the name of its model, as the configuration has."""
    variant = {"VariantName": model, "ModelName": model, "InitialVariantWeight": 1.0}
    request: Request = {
        "EndpointConfigName": model,
        "ProductionVariants": [variant | _capacity(settings)],
        "Tags": tags,
    }
    has_key = settings.kms_key_id and not settings.serverless_memory
    return request | ({"KmsKeyId": settings.kms_key_id} if has_key else {})


def update_request(settings: EndpointSettings, config: str) -> Request:
    """Return the arguments of `UpdateEndpoint`: all traffic at once, and back if an alarm rings while the new model bakes.

    Serverless endpoints take no deployment policy.
    """
    request: Request = {"EndpointName": settings.endpoint_name, "EndpointConfigName": config}
    if settings.serverless_memory:
        return request
    routing = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}
    policy: Request = {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": routing,
            "TerminationWaitInSeconds": settings.bake_seconds,
            "MaximumExecutionTimeoutInSeconds": int(settings.deadline.total_seconds()),
        }
    }
    if settings.rollback_alarms:
        alarms = [{"AlarmName": name} for name in settings.rollback_alarms]
        policy["AutoRollbackConfiguration"] = {"Alarms": alarms}
    return request | {"DeploymentConfig": policy}


def _capacity(settings: EndpointSettings) -> Request:
    if settings.serverless_memory:
        serverless = {
            "MemorySizeInMB": settings.serverless_memory,
            "MaxConcurrency": settings.serverless_concurrency,
        }
        return {"ServerlessConfig": serverless}
    return {
        "InstanceType": settings.instance_type,
        "InitialInstanceCount": settings.instance_count,
    }
