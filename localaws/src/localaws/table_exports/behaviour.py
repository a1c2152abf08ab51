"""Behaviour of exports: their duration, and the fates of those that a test names."""

from dataclasses import dataclass

from localaws.destinies import Destinies


@dataclass
class ExportBehaviour(Destinies):
    """`seconds` is what an export takes. Fates befall exports by the name of their table.

    An export fails, hangs, or is partial: `shorten_output` leaves one item out of its data that its manifest counts.
    """

    seconds: float = 0.0
