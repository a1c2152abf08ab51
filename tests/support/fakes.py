"""The base of fakes that pass for boto3's clients in the eyes of mypy."""

from typing import Any

Fake: Any = object
