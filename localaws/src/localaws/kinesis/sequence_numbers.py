"""Sequence numbers: 56 digits, ascending within a stream, each from the one shard that it names.

AWS documents neither the digits nor what they mean; these have the length of AWS's, and identify a number of another stream or shard.
"""

_LEAD = 1 << 185
_CREATED, _COUNT, _SECOND, _SHARD = 148, 84, 48, 4
_THIRTY_TWO_BITS = (1 << 32) - 1
_TAIL = 2


def sequence_number(created: int, count: int, second: int, shard: int) -> int:
    """Return the stream's `count`-th number; `created` and `second` are epoch seconds of the stream and of the number."""
    return (
        _LEAD | created << _CREATED | count << _COUNT | second << _SECOND | shard << _SHARD | _TAIL
    )


def shard_of(number: int) -> int:
    """Return the index of the shard that a number is from."""
    return number >> _SHARD & _THIRTY_TWO_BITS


def is_of_stream(number: int, created: int) -> bool:
    return number >> _CREATED == (_LEAD >> _CREATED | created)
