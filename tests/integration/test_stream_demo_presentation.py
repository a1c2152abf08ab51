from io import StringIO

from rich.console import Console

from cutwatch.delivery.incident_store import RecordedIncident
from cutwatch.streams.expectation import Expected
from cutwatch.streams.incidents import ColumnFinding, Incident
from cutwatch_cli.streams.demo_presentation import present
from cutwatch_cli.streams.demo_records import PLANTED, PlantedIncident
from cutwatch_cli.streams.kinesis_demo import StreamDemo

WIDTH = 100


def incident(planted: PlantedIncident) -> RecordedIncident:
    """Return an incident whose numbers have all their digits."""
    begin = planted.begin.timestamp()
    column = ColumnFinding("temperature", -123.456, 3.0, "below", Expected(105.25, 91.125, 119.875))
    found = Incident(
        id=f"presses:{planted.first}",
        key=planted.key,
        begin_time=begin,
        last_time=begin + 60,
        peak_time=begin,
        rows=3,
        severity=912.25,
        score=3.0,
        columns=(column,),
    )
    return RecordedIncident("presses", found, ended=True)


def shown() -> str:
    demo = StreamDemo(PLANTED, [incident(each) for each in PLANTED], sent=10, seconds=1.0)
    output = StringIO()
    present(Console(file=output, width=WIDTH, highlight=False), demo)
    return output.getvalue()


def test_the_table_of_incidents_cuts_nothing_at_100_columns() -> None:
    text = shown()
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= WIDTH
    assert text.count("-123.5") == len(PLANTED)
    for whole in ("91.12 to 119.9", "temperature", "912.2, high", PLANTED[0].key):
        assert whole in text
    words = {word for planted in PLANTED for word in planted.kind.split()}
    assert words <= set(text.split())
