"""The current model of a log stream."""

from cutwatch.aws.s3 import Bucket
from cutwatch.errors import MalformedObject
from cutwatch.streams.model_register import CurrentModel, current_prefix


def read_model(bucket: Bucket, stream: str) -> CurrentModel | None:
    """Return the model that became current last, of whatever configuration; None if the stream has none, or pins a version."""
    listed = [*bucket.list(current_prefix(stream))]
    if not listed:
        return None
    key = max(listed, key=lambda each: each.modified).key
    try:
        return CurrentModel.from_payload(bucket.read_json(key))
    except (KeyError, TypeError) as error:
        raise MalformedObject(f"{bucket.uri(key)} is not a register of models: {error!r}") from None
