"""Faults in force, and how they are spent."""

from localaws import Fault
from localaws.faults import Faults


def spend(faults: Faults, operation: str = "PutItem") -> str | None:
    hit = faults.spend("dynamodb", operation, "somebody", {})
    return None if hit is None else hit.error


def test_a_fault_for_a_while_removes_itself_and_leaves_the_others() -> None:
    faults = Faults()
    faults.add(Fault("dynamodb", "PutItem", error="Before"))
    with faults.during(Fault("dynamodb", "GetItem", error="Meanwhile")):
        faults.add(Fault("dynamodb", "Scan", error="Added"))
    with faults.during(Fault("dynamodb", "Query", error="Later")):
        pass
    assert [spend(faults, each) for each in ("PutItem", "GetItem", "Scan", "Query")] == [
        "Before",
        None,
        "Added",
        None,
    ]
    faults.clear()
    assert spend(faults) is None


def test_a_fault_for_a_while_is_over_even_when_it_is_partly_spent() -> None:
    faults = Faults()
    with faults.during(Fault("dynamodb", error="Meanwhile", times=2)):
        assert spend(faults) == "Meanwhile"
    assert spend(faults) is None


def test_two_equal_faults_are_two() -> None:
    faults, fault = Faults(), Fault("dynamodb", error="Same")
    faults.add(fault)
    with faults.during(fault):
        pass
    assert spend(faults) == "Same"


def test_a_fault_skips_and_hits_as_many_calls_as_it_says() -> None:
    faults = Faults()
    faults.add(Fault("dynamodb", "Put*", error="Third", skip=2, times=1))
    assert [spend(faults) for _ in range(4)] == [None, None, "Third", None]
    assert spend(faults, "GetItem") is None
