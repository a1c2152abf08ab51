"""Behaviour of exports: their duration, and the outcomes of those that a test names."""

from dataclasses import dataclass

from localaws.job_outcomes import JobOutcomes


@dataclass
class ExportBehaviour(JobOutcomes):
    """`seconds` is what an export takes. Outcomes befall exports by the name of their table.

    An export fails, hangs, or is partial: `shorten_output` leaves one item out of its data that its manifest counts.
    """

    seconds: float = 0.0
