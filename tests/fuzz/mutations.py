"""Mutations of documents: bytes that are still JSON reach further than bytes that are not."""

import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import yaml

Place = tuple[Any, Any]
Mutation = Callable[[bytes, Random], bytes | None]

_HOSTILE: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    6,
    1.5,
    10**30,
    10**400,
    float("inf"),
    float("nan"),
    "",
    "0",
    "x" * 300,
    "..",
    "../x",
    "a\nb",
    "\x00",
    "\ud800",
    "9999-12-31T23:59:59-14:00",
    "0001-01-01T00:00:00+14:00",
    "2026-11-02",
    "22:00",
    "America",
    "p99",
    [],
    [None],
    ["value", "value"],
    [["value"]],
    {},
    {"": ""},
    {"x": {"x": {}}},
)


def of_json(data: bytes, chance: Random) -> bytes | None:
    """One or more members of a JSON document replaced, removed, moved or doubled; None if it is none."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return json.dumps(_mutated(document, chance)).encode()


def of_yaml(data: bytes, chance: Random) -> bytes | None:
    """The same of YAML, in the part of it that is JSON too."""
    try:
        document = yaml.safe_load(data)
        return json.dumps(_mutated(document, chance), default=str).encode()
    except (yaml.YAMLError, ValueError, TypeError, RecursionError):
        return None


def _mutated(document: Any, chance: Random) -> Any:
    root = [document]
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        places = list(_places(root))
        _mutate(chance.choice(places), places, chance)
    return root[0] if root else None


def _mutate(place: Place, places: list[Place], chance: Random) -> None:
    owner, key = place
    match chance.randrange(5):
        case 0:
            other, there = chance.choice(places)
            owner[key] = json.loads(json.dumps(other[there]))
        case 1 if len(owner) > 1:
            del owner[key]
        case 2 if isinstance(owner, list):
            owner.append(owner[key])
        case 3 if isinstance(owner, dict):
            owner[chance.choice(("extra", "", "name", "ä", "a\nb"))] = chance.choice(_HOSTILE)
        case _:
            owner[key] = json.loads(json.dumps(chance.choice(_HOSTILE)))


def _places(owner: Any) -> Iterator[Place]:
    """Everything inside, each as what holds it and under which key or number."""
    members = owner.items() if isinstance(owner, dict) else enumerate(owner)
    for key, member in list(members):
        yield owner, key
        if isinstance(member, dict | list):
            yield from _places(member)
