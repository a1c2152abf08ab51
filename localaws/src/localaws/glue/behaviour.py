"""Behaviour of Glue: durations, and the outcomes of the runs that a test names."""

from dataclasses import dataclass

from localaws.job_outcomes import JobOutcomes


@dataclass
class GlueBehaviour(JobOutcomes):
    """Durations are seconds; a script takes none of the clock's time but these. Outcomes befall runs by the name of their job."""

    starting_seconds: float = 30.0
    running_seconds: float = 60.0
    stopping_seconds: float = 10.0
