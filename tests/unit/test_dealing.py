"""How the suite is dealt to its processes: every test once, the long ones first, the table no list of what runs."""

from __future__ import annotations

from pathlib import Path

from tests.dealing import COSTS, order_of, read_costs, unit_of, write_costs

NODES = ["a.py::test_one", "a.py::test_two[x]", "a.py::test_two[y]", "b.py::test_it", "new.py::test_it"]


def test_long_files_are_dealt_first_and_unknown_ones_before_the_short() -> None:
    """Within a file the tests stand as they stood: they share what was set up."""
    order = order_of(NODES, {"a.py": 3, "b.py": 100})
    assert sorted(order, key=order.__getitem__) == [NODES[3], NODES[4], *NODES[:3]]


def test_named_test_is_dealt_apart_from_the_rest_of_its_file() -> None:
    """A scenario of minutes must not wait for its neighbours, nor they for it."""
    costs = {"a.py": 3, "a.py::test_two[y]": 200, "b.py": 100, "new.py": 1}
    assert [unit_of(node, costs) for node in NODES[:3]] == ["a.py", "a.py", "a.py::test_two[y]"]
    order = order_of(NODES, costs)
    assert sorted(order, key=order.__getitem__) == [NODES[2], NODES[3], *NODES[:2], NODES[4]]


def test_no_test_is_left_out_or_dealt_twice_whatever_the_table_says() -> None:
    """Also one the table has never heard of, and with a table that knows nothing."""
    for costs in ({}, {"a.py": 1, "gone.py": 9, "a.py::test_gone": 7}, read_costs()):
        assert sorted(order_of(NODES, costs).values()) == list(range(len(NODES)))


def test_table_names_files_that_are_there() -> None:
    """What was renamed would be dealt as if nobody had measured it."""
    root = COSTS.parents[1]
    assert [unit for unit in read_costs() if not (root / unit.partition("::")[0]).is_file()] == []


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """The longest first, for whoever looks for what is slow."""
    costs = {"a.py": 3.0, "b.py::test_it[x]": 100.5}
    write_costs(costs, tmp_path / "costs.tsv")
    assert read_costs(tmp_path / "costs.tsv") == costs
    assert (tmp_path / "costs.tsv").read_text().splitlines()[1].startswith("b.py")
