"""Every number of the adaptive threshold: one set for all metrics, none is tuned per metric."""

from collections.abc import Mapping
from dataclasses import dataclass

from cutwatch.detectors.detector import Sensitivity

HOUR, DAY = 3_600, 86_400


@dataclass(frozen=True)
class ThresholdParameters:
    """Scores are standardised by the history before a window; see docs/detection.md for what each was measured to do."""

    smoothing: int = 3
    """Forest scores averaged before they are compared (datapoints, of three hours at most); more is calmer and later."""
    deviation_floor: float = 0.4
    """Added to the standard deviation of a forest's scores (score units): calms forests that scored evenly."""
    baseline_datapoints: int = 4_000
    """How many of the latest scores of the history give mean and deviation (datapoints)."""
    trimmed: float = 0.03
    """The share of the history's highest scores that the baselines of changes and residuals leave out: past incidents."""
    tail: float = 0.98
    """The quantile of a statistic over the history by which, plus 1, the statistic is divided."""
    change_forest: float = 1.5
    """The forest's half of the cutoff for changes (standard deviations)."""
    change_size: float = 1.45
    """The other half: the size of a step (times 1 + its tail)."""
    deviation: float = 2.0
    """The cutoff for the mean deviation of an hour from what is expected (times 1 + its tail)."""
    residual: float = 4.0
    """The cutoff for the residual's forest (standard deviations)."""
    level: float = 0.7
    """The least cutoff for the value's forest (standard deviations)."""
    peak_share: float = 0.7
    """The share of the peak level by which the cutoff for the value's forest is raised."""
    peak_days: float = 21
    """How far back the peak level looks (days)."""
    peak_datapoints: int = 300
    """The least number of datapoints of that history, for coarse metrics."""
    peak_rank: int = 3
    """The how many-th largest peak is the peak level: two real incidents do not make one."""
    peak_hours: float = 2
    """A peak is the highest score within so much on either side (hours)."""
    least_deviation_of_change: float = 2.0
    """A change counts if one of the last `smoothing` values is this many scales from its expected value."""
    least_deviation_of_level: float = 2.5
    """The same for the forests of value and residual."""
    share_of_spread: float = 0.025
    """A severity above 1 is at most the largest deviation of the hour in such shares of the history's middle 90 %."""
    recurrence: float = 1.3
    """What recurs at its time of day or week must be exceeded by this factor."""
    recurrence_hours: float = 0.5
    """How far from its time of day a recurring peak may lie (hours)."""
    recurring_days: int = 3
    """Days out of the last seven with a peak at this time that make it a recurring peak; in proportion for fewer days."""
    recurring_weeks: int = 3
    """In how many weeks before, without exception, a peak has to have come at its time of the week."""
    jitter_hours: float = 0.75
    """How far from its usual time a daily job may begin or end (hours)."""
    edge_excess: float = 1.5
    """What comes at about its usual time must exceed the job's usual rise or fall by this factor."""
    days_with_edges: int = 5
    """Days out of the last seven with such a rise or fall at about this time; in proportion for fewer days."""
    excursion_hours: float = 1.5
    """The window of each earlier day in which a recurring excursion begins or ends (hours); today's is `jitter_hours` longer on either side."""
    missed_excursion: float = 1.2
    """The cutoff for excursions that did not come (typical ranges of such a window, times 1 + its tail)."""
    most_of_missed: float = 2.5
    """The highest severity of an excursion that did not come, which is medium: a week says little about how regular it is."""
    mature_days: float = 10
    """A metric with a shorter history has higher cutoffs, by the powers below of how many times shorter it is (days)."""
    caution_of_deviation: float = 1.0
    """The power for deviations: those of an hour are alike, so a few days are a few observations."""
    caution_of_change: float = 0.25
    """The power for changes: steps hardly depend on each other, so a few days have many."""
    caution_of_static_level: float = 0.04
    """The power for the value's forest if it is static: what recurs alarms again just above the cutoff, for it is not learned."""
    joined_hours: float = 0.5
    """An event goes on while its datapoints above the cutoff lie no further apart (hours, at least one datapoint)."""
    level_joined_hours: float = 12.0
    """The same for the value's forest: changes of level come in several steps."""

    recovered_hours: float = 1.0
    """After so long near its expected value a metric can have a second incident within those hours."""
    second_incident: float = 1.5
    """The severity with which the second one must begin."""

    @property
    def same_incident_seconds(self) -> int:
        """An event that begins no later than this after another one's end goes on with it."""
        return round(self.joined_hours * HOUR)

    @property
    def same_level_seconds(self) -> int:
        """The same where the event's own channel says that it follows another."""
        return round(self.level_joined_hours * HOUR)


DEFAULT = ThresholdParameters()
# What multiplies the cutoff.
SENSITIVITY: Mapping[Sensitivity, float] = {"low": 1.5, "medium": 1.0, "high": 0.7}
