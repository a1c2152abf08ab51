from tests.support.processor_time import Measured, lacking_mark, slow_test_lines

MEASURED = {
    "quick": Measured(seconds=2.0, slow=False),
    "long": Measured(seconds=2.1, slow=False),
    "longer": Measured(seconds=9.0, slow=False),
    "marked": Measured(seconds=60.0, slow=True),
}


def test_unmarked_tests_over_the_limit_are_listed_the_longest_first() -> None:
    assert lacking_mark(MEASURED) == [(9.0, "longer"), (2.1, "long")]


def test_each_line_names_a_test_and_its_time() -> None:
    title, *lines = slow_test_lines(MEASURED)

    assert title == "2 tests over 2 s of processor time without the mark slow"
    assert [line.split() for line in lines] == [["9.00", "s", "longer"], ["2.10", "s", "long"]]
