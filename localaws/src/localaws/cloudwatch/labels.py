"""Labels of the series that a search finds: what tells them apart, or what the query's own label says of each."""

import re
from collections.abc import Sequence

from localaws.api_response import ApiError
from localaws.cloudwatch.metric_store import MetricKey

_DYNAMIC = re.compile(r"\$\{([^}]*)\}")
_OF_EVERY_METRIC = ("MetricName", "Namespace")
_PROPERTY = re.compile(r"PROP\('(?:Dim\.(?P<dimension>[^']+)|(?P<name>MetricName|Namespace))'\)")


def labels(keys: Sequence[MetricKey], label: str | None) -> list[str]:
    """One for each metric, in order. Of dynamic labels `LABEL` and `PROP` are implemented."""
    usual = _telling_apart(keys) if keys else []
    if label is None:
        return usual
    if not _DYNAMIC.search(label):
        return [f"{label} {each}".strip() if len(keys) > 1 else label for each in usual]
    return [_filled(label, key, each) for key, each in zip(keys, usual, strict=True)]


def _telling_apart(keys: Sequence[MetricKey]) -> list[str]:
    """Values of dimensions, then metric name, then namespace: those that are not the same for all."""
    described = [_parts(key) for key in keys]
    dimensions = sorted({name for parts in described for name in parts} - {*_OF_EVERY_METRIC})
    names = [*dimensions, *_OF_EVERY_METRIC]
    telling = [n for n in names if len({parts.get(n) for parts in described}) > 1]
    chosen = telling or ["MetricName"]
    return [" ".join(parts[n] for n in chosen if n in parts) for parts in described]


def _parts(key: MetricKey) -> dict[str, str]:
    dimensions = {f"Dim.{name}": value for name, value in key.dimensions}
    return {**dimensions, "MetricName": key.name, "Namespace": key.namespace}


def _filled(label: str, key: MetricKey, usual: str) -> str:
    def value(found: re.Match[str]) -> str:
        if found[1] == "LABEL":
            return usual
        wanted = _PROPERTY.fullmatch(found[1])
        if wanted is None:
            raise ApiError(
                "ValidationError", f"The local CloudWatch does not implement {found[0]} of a label."
            )
        parts = _parts(key)
        return parts.get(wanted["name"] or f"Dim.{wanted['dimension']}", "")

    return _DYNAMIC.sub(value, label)
