"""The report of an hour as a page: one file without scripts or references to others."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from html import escape
from typing import Any

from cutwatch.errors import legible
from cutwatch.features.log_explanation import seconds_in_words
from cutwatch.reports.explanations import explanations
from cutwatch.reports.hour_chart import draw
from cutwatch.reports.hour_report import HourReport, mean_seconds
from cutwatch.reports.trends import Trend
from cutwatch.streams.log_summary import Tally, most_severe
from cutwatch.widget.palette import DARK, LIGHT, Palette
from cutwatch.wording import count, number_in_words, severity_multiple

_MOST_ROWS, _ROWS_PER_REASON = 20, 5
_NOTABLE_CHANGE, _MOST_PERCENT = 0.5, 9.0
_NONE = "–"

_STYLE = """
body{margin:0 auto;max-width:1000px;padding:24px 20px 48px;background:var(--page);color:var(--text);
font:15px/1.5 system-ui,"Segoe UI",Roboto,sans-serif}
h1{font-size:24px;margin:0 0 4px}h2{font-size:17px;margin:32px 0 8px}p{margin:0 0 12px}.quiet{color:var(--quiet)}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th{text-align:left;font-weight:600;color:var(--quiet);font-size:13px}td,th{padding:5px 14px 5px 0;border-bottom:1px solid var(--grid);
vertical-align:top}.number{text-align:right}.scroll{overflow-x:auto}ol{padding-left:22px;margin:0}
code{font-family:ui-monospace,Menlo,Consolas,monospace;font-size:13px;overflow-wrap:anywhere}.notable{color:var(--anomaly);font-weight:600}
svg{display:block;width:100%;height:auto;font-size:12px}.title{fill:var(--text);font-weight:600}.tick{fill:var(--quiet)}
.grid{stroke:var(--grid)}.metric,.score{fill:none;stroke:var(--metric);stroke-width:1.8}.score{stroke:var(--score)}
.metric-dot{fill:var(--metric)}.score-dot{fill:var(--score)}.anomaly{fill:var(--anomaly)}.marked{fill:var(--anomaly);opacity:.14}
@media(max-width:640px){body{padding:16px 14px 32px}svg{min-width:640px;font-size:17px}
.anomalies thead{display:none}.anomalies tr{display:flex;flex-wrap:wrap;column-gap:14px;padding:6px 0;border-bottom:1px solid var(--grid)}
.anomalies td{border:0;padding:0}.anomalies td:nth-child(4):after{content:" times cutoff"}.anomalies td:last-child{flex-basis:100%}}
"""


def to_html(report: HourReport, known: Sequence[Trend]) -> str:
    """Return the page of a report with its trends."""
    title = f"{report.stream}: {report.begin:%Y-%m-%d %H:%M} UTC, one hour"
    total = report.total
    parts = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="quiet">{escape(_sentence(report, total))}</p>',
        f'<div class="scroll">{draw(report)}</div>',
        "<h2>Against the same hour of the days before</h2>",
        _trends(known),
        "<h2>Top explanations</h2>",
        _explanations(report),
        "<h2>Most severe anomalies</h2>",
        _anomalies(report),
        "<h2>By path</h2>",
        _tallies("Path", report.paths),
        "<h2>By level</h2>",
        _tallies("Level", report.levels),
    ]
    if report.rejected or report.late:
        parts += ["<h2>Records that were not scored</h2>", _not_scored(report)]
    style = f":root{{{_variables(LIGHT, '#ffffff')}}}@media(prefers-color-scheme:dark){{:root{{{_variables(DARK, '#16191f')}}}}}{_STYLE}"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{style}</style></head><body>{''.join(parts)}</body></html>\n"
    )


def _variables(colours: Palette, page: str) -> str:
    named = {"page": page, **asdict(colours)}
    return "".join(f"--{name.replace('_', '-')}:{value};" for name, value in named.items())


def _sentence(report: HourReport, total: Tally) -> str:
    not_scored = sum(report.rejected.values()) + report.late
    parts = [
        count(total.records, "record"),
        count(total.anomalies, "anomalous record"),
        count(total.errors, "server error"),
        f"mean response time {_seconds(mean_seconds(total))}",
        f"{count(not_scored, 'record')} not scored",
    ]
    return ", ".join(parts) + "."


def _seconds(seconds: float | None) -> str:
    return _NONE if seconds is None else seconds_in_words(seconds)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], box: str = "scroll") -> str:
    """Return a table of HTML cells; a head that begins with > has numbers."""
    classes = ['class="number"' if head.startswith(">") else "" for head in heads]
    head = "".join(
        f"<th {kind}>{escape(name.removeprefix('>'))}</th>"
        for kind, name in zip(classes, heads, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(f"<td {kind}>{cell}</td>" for kind, cell in zip(classes, row, strict=True))
        + "</tr>"
        for row in rows
    )
    return f'<div class="{box}"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _trends(known: Sequence[Trend]) -> str:
    if all(each.middle is None for each in known):
        return '<p class="quiet">There is no report of this hour on the seven days before.</p>'
    heads = ("Measure", ">This hour", ">Usually", ">Change")
    return _table(heads, [_trend(each) for each in known])


def _trend(trend: Trend) -> Sequence[str]:
    name, show = trend.name, _FORMATS.get(trend.name, number_in_words)
    usual = _NONE
    if trend.middle is not None:
        usual = f"{show(trend.middle)} ({show(trend.low)} to {show(trend.high)})"
    change = trend.change
    words = _NONE if change is None else f"{change:+.0%}"
    if change is not None and change > _MOST_PERCENT:
        words = f"{change + 1:,.0f} times"
    if change is not None and abs(change) > _NOTABLE_CHANGE:
        words = f'<span class="notable">{words}</span>'
    return escape(name.capitalize()), show(trend.value), usual, words


def _percent(value: float | None) -> str:
    return _NONE if value is None else f"{value:.2%}"


_FORMATS = {"error rate": _percent, "mean response time": _seconds}


def _explanations(report: HourReport) -> str:
    """Return the most frequent reasons, each with the sentence of its most severe anomaly."""
    found = explanations(report)
    if not found:
        return '<p class="quiet">There were no anomalies with an explanation.</p>'
    items = "".join(
        f"<li>{count(each.records, 'record')}, such as: {_with_code(each.example)}</li>"
        for each in found
    )
    return f"<ol>{items}</ol>"


def _with_code(sentence: str) -> str:
    """Return a sentence as HTML, with what stands in backquotes as code."""
    parts = escape(legible(sentence)).split("`")
    return "".join(f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts))  # fmt: skip


def _anomalies(report: HourReport) -> str:
    listed = most_severe(report.listed(), _ROWS_PER_REASON)[:_MOST_ROWS]
    if not listed:
        return '<p class="quiet">There were none.</p>'
    heads = ("Time (UTC)", "Request", ">Response time", ">Times cutoff", "Reasons")
    table = _table(heads, [_anomaly(each) for each in listed], "scroll anomalies")
    total = report.total.anomalies
    if total > len(listed):
        table += f'<p class="quiet">{len(listed)} of {total:,}: the most severe of each reason.</p>'
    return table


def _anomaly(anomaly: Mapping[str, Any]) -> Sequence[str]:
    time = datetime.fromtimestamp(anomaly["time"], UTC)
    words = [anomaly.get(name, "") for name in ("method", "path", "status")]
    request = " ".join(escape(legible(each)) for each in words if each and not each.startswith("(none"))  # fmt: skip
    return (
        f"{time:%H:%M:%S}",
        f"<code>{request}</code>" if request else _NONE,
        _seconds(anomaly.get("response_time")),
        severity_multiple(anomaly["times_cutoff"]),
        "<br>".join(_with_code(each) for each in anomaly["reasons"]) or _NONE,
    )


def _tallies(name: str, tallies: Mapping[str, Tally]) -> str:
    ordered = sorted(tallies.items(), key=lambda each: (-each[1].anomalies, -each[1].records))
    heads = (name, ">Records", ">Anomalies", ">Errors", ">Mean response time", ">Highest score")
    table = _table(heads, [_tally(key, each) for key, each in ordered[:_MOST_ROWS]])
    if len(ordered) > _MOST_ROWS:
        table += f'<p class="quiet">{len(ordered) - _MOST_ROWS} more in the JSON report.</p>'
    return table


def _tally(name: str, tally: Tally) -> Sequence[str]:
    anomalies = f"{tally.anomalies:,}"
    return (
        f"<code>{escape(legible(name))}</code>",
        f"{tally.records:,}",
        f'<span class="notable">{anomalies}</span>' if tally.anomalies else anomalies,
        f"{tally.errors:,}",
        _seconds(mean_seconds(tally)),
        f"{tally.score:.2f}",
    )


def _not_scored(report: HourReport) -> str:
    counts = Counter(report.rejected)
    if report.late:
        counts["late"] += report.late
    rows = [(escape(reason), f"{number:,}") for reason, number in counts.most_common()]
    return _table(("Reason", ">Records"), rows)
