"""Creates a SageMaker model from the artefact of a completed training job."""

from cutwatch.aws.clients import client
from cutwatch.aws.s3 import Bucket
from cutwatch.aws.stack_tags import stack_tags
from cutwatch.datasets.keys import model_artefact_key
from cutwatch.observability import Payload, observed
from cutwatch.runs.batch import name_of
from cutwatch.sagemaker.jobs import Job, create_model
from cutwatch.settings import SageMakerSettings


@observed
def handler(event: Payload) -> Payload:
    """`detector`, `job` -> the model's name, which is that of the job."""
    settings = SageMakerSettings.from_env()
    bucket = Bucket(client("s3"), settings.bucket_name)
    name, detector = Job.from_payload(event["job"]).name, str(name_of(event, "detector"))
    artefact = model_artefact_key(detector, name)
    tags = stack_tags(bucket.s3, bucket.name)
    create_model(client("sagemaker"), settings, name, bucket.uri(artefact), tags)
    return {"name": name}
