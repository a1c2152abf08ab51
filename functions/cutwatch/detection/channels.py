"""The ways in which a datapoint can be anomalous, each measured in multiples of its own cutoff.

Nothing here looks ahead: a position's multiples depend on the history before the window and on what came until then.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np

from cutwatch.detection.baseline import Baseline, Flags, mean_of_last
from cutwatch.detection.missed_excursions import missed_excursions
from cutwatch.detection.parameters import DEFAULT, HOUR, ThresholdParameters
from cutwatch.detection.recurrence import came_lately, peak_level, recurring_peaks, usual_edges
from cutwatch.detectors.detector import Feature
from cutwatch.features.changes import sudden_changes
from cutwatch.features.expectation import Expectation, expect, spread_of
from cutwatch.timeseries.arrays import Floats
from cutwatch.timeseries.series import Series

Driver = Literal["level", "change"]
# The scores (n,) of a series' positions by feature, NaN where there is no row.
Scores = Mapping[Feature, Floats]

_BELOW_CUTOFF = 0.99


@dataclass(frozen=True, eq=False)
class Channel:
    """One way of being anomalous: multiples of the cutoff (n,), and how far apart (seconds) one event's may lie.

    A channel that is `late` goes on with an event of another one that ended within that time.
    """

    driver: Driver
    multiples: Floats
    joined_seconds: int
    late: bool = False


@dataclass(frozen=True, eq=False)
class Measured:
    """A series' channels, and what was expected of it; `missed` are the multiples of missed excursions, if measured."""

    channels: tuple[Channel, ...]
    expectation: Expectation
    missed: Floats | None = None


def measure(
    series: Series,
    start: int,
    scores: Scores,
    time_zone: str,
    parameters: ThresholdParameters = DEFAULT,
    expectation: Expectation | None = None,
    *,
    static: bool = False,
) -> Measured:
    """Measure a series (gaps filled or left as NaN) by the scores of its forests, from epoch second `start` on.

    What came before `start` is the history by which everything is standardised. `expectation` is that of the series, if it
    is known already. A `static` forest does not learn while it scores.
    """
    expectation = expectation or expect(series, start, time_zone)
    measuring = _Measuring(series, series.epochs < start, expectation, time_zone, parameters)
    channels = [measuring.deviation()]
    if "difference" in scores and not measuring.rare:
        channels.append(measuring.change(scores["difference"]))
    if "residual" in scores and not measuring.rare:
        channels.append(measuring.residual(scores["residual"]))
    if "value" in scores:
        level = measuring.level(scores["value"])
        channels.append(measuring.cautious_level(level) if static else level)
    most = measuring.most()
    bounded = [replace(each, multiples=np.minimum(each.multiples, most)) for each in channels]
    missed = measuring.missed()
    return Measured((*bounded, missed), expectation, missed.multiples)


@dataclass(frozen=True, eq=False)
class _Measuring:
    series: Series
    history: Flags
    expectation: Expectation
    time_zone: str
    parameters: ThresholdParameters

    @property
    def rare(self) -> bool:
        """True if the metric hardly ever changes: daily peaks are then expected, at any time of day."""
        return self.expectation.resolution > 0

    @cached_property
    def _baseline(self) -> Baseline:
        return Baseline(self.series, self.history, self.parameters)

    @cached_property
    def _edges_are_usual(self) -> Flags:
        series, expected = self.series, self.expectation
        return usual_edges(
            series.values, expected.residuals, expected.outside, series.period, self.parameters
        )

    def deviation(self) -> Channel:
        """Measure the mean deviation of the last hour from the expected values."""
        size = max(HOUR // self.series.period, 2 if self.rare else 1)
        statistic = self._baseline.by_tail(np.abs(mean_of_last(self.expectation.deviations, size)))
        channel = self._familiar(self._channel("level", statistic, self.parameters.deviation))
        return self._cautious(channel, self.parameters.caution_of_deviation)

    def change(self, scores: Floats) -> Channel:
        """Measure the step to a datapoint: half by its forest, half by its size."""
        sizes = sudden_changes(self.series, self.history, self.expectation)
        by_forest = (
            self._baseline.standardised(scores, self.parameters.trimmed)
            / self.parameters.change_forest
        )
        by_size = self._baseline.by_tail(sizes) / self.parameters.change_size
        # Three larger steps in a row are noise: the forest does not speak louder than the step itself.
        multiples = (np.minimum(by_forest, by_size) + by_size) / 2
        channel = self._channel("change", multiples, 1.0)
        channel = self._far_enough(channel, self.parameters.least_deviation_of_change)
        return self._cautious(channel, self.parameters.caution_of_change)

    def residual(self, scores: Floats) -> Channel:
        """Measure values against their time of day."""
        statistic = self._baseline.standardised(scores, self.parameters.trimmed)
        channel = self._familiar(self._channel("level", statistic, self.parameters.residual))
        return self._far_enough(channel, self.parameters.least_deviation_of_level)

    def level(self, scores: Floats) -> Channel:
        """Measure values against all times of day; a metric that often peaks must exceed its own peak level."""
        parameters, period = self.parameters, self.series.period
        statistic = self._baseline.standardised(scores, 0.0)
        cutoff = parameters.level + parameters.peak_share * peak_level(
            statistic, period, parameters
        )
        channel = self._channel("level", statistic, cutoff, parameters.level_joined_hours)
        # Scores of coarse metrics are not averaged: the deviation must be as much larger as their noise is.
        averaged = parameters.smoothing / self._baseline.smoothing
        return self._far_enough(channel, parameters.least_deviation_of_level * averaged**0.5)

    def missed(self) -> Channel:
        """Measure what comes daily or weekly at about this time, and did not."""
        parameters, series = self.parameters, self.series
        missed = missed_excursions(
            series, self.time_zone, self.history, self.expectation.scale, parameters
        )
        missed = np.where(np.isnan(self.expectation.deviations), np.nan, missed)
        multiples = self._baseline.by_tail(missed) / parameters.missed_excursion
        multiples = np.minimum(multiples, parameters.most_of_missed)
        # What begins and ends together is missed once: today's window has both.
        hours = parameters.excursion_hours + 2 * parameters.jitter_hours
        channel = Channel("level", multiples, max(round(hours * HOUR), series.period), late=True)
        return self._cautious(self._familiar(channel), parameters.caution_of_deviation)

    def cautious_level(self, level: Channel) -> Channel:
        """Return the channel of a static forest, which does not get used to the peaks of a young metric."""
        return self._cautious(level, self.parameters.caution_of_static_level)

    def most(self) -> Floats:
        """Return the largest multiples (n,): without noise the scales are tiny, and small deviations would look severe."""
        spread = spread_of(self.series.values[self.history])
        sizes = np.nan_to_num(np.abs(self.expectation.residuals))
        if spread == 0:
            return np.full(len(sizes), np.inf)
        size = max(HOUR // self.series.period, self.parameters.smoothing)
        padded = np.concatenate([np.zeros(size - 1), sizes])
        largest = np.lib.stride_tricks.sliding_window_view(padded, size).max(axis=1)
        return np.asarray(np.maximum(largest / (self.parameters.share_of_spread * spread), 1.0))

    def _cautious(self, channel: Channel, exponent: float) -> Channel:
        """Return the channel with the cutoff of a young metric: few days seldom show the normal extremes."""
        return replace(channel, multiples=channel.multiples / self._baseline.shortage**exponent)

    def _familiar(self, channel: Channel) -> Channel:
        """Return the channel, kept below its cutoff on days of a kind that the history has not seen."""
        capped = np.minimum(channel.multiples, _BELOW_CUTOFF)
        return replace(
            channel, multiples=np.where(self.expectation.familiar, channel.multiples, capped)
        )

    def _far_enough(self, channel: Channel, least: float) -> Channel:
        """Return the channel, kept below its cutoff while the latest values are near what is expected."""
        sizes = np.abs(self.expectation.deviations)
        far = (sizes > least) & (sizes * self.expectation.scale > self.expectation.resolution)
        lately = mean_of_last(np.where(np.isnan(sizes), np.nan, far), self.parameters.smoothing)
        capped = np.minimum(channel.multiples, _BELOW_CUTOFF)
        return replace(channel, multiples=np.where(lately > 0, channel.multiples, capped))

    def _channel(
        self,
        driver: Driver,
        statistic: Floats,
        cutoff: float | Floats,
        joined_hours: float | None = None,
    ) -> Channel:
        parameters, period = self.parameters, self.series.period
        recurring = recurring_peaks(statistic, period, parameters, at_any_time=self.rare)
        hours = parameters.joined_hours if joined_hours is None else joined_hours
        usual = self._edges_are_usual & came_lately(statistic / cutoff, period, parameters)
        multiples = statistic / np.maximum(cutoff, parameters.recurrence * recurring)
        multiples = np.where(usual, np.minimum(multiples, _BELOW_CUTOFF), multiples)
        return Channel(driver, multiples, max(round(hours * HOUR), period))
