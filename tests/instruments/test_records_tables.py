from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from instruments.errors import UnreadableFile
from instruments.recorded_data import candidate_rows, data_folder, locate, read_tables


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_numbers_come_back_exactly_also_through_json(tmp_path: Path, values: list[float]) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "".join(f"{v!r},x\n" for v in values))
    names, rows = candidate_rows("t.csv", ["a"], folder=tmp_path)
    assert names == ["a"]
    assert [row[0] for row in rows] == list(dict.fromkeys(values))
    assert json.loads(json.dumps(rows)) == rows


def test_repeated_rows_are_one_candidate(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b,y\n1,x,5\n2,x,6\n1,x,7\n")
    _, rows = candidate_rows("t.csv", ["a", "b"], folder=tmp_path)
    assert rows == [[1.0, "x"], [2.0, "x"]]


def test_files_are_joined_row_by_row(tmp_path: Path) -> None:
    (tmp_path / "composition.txt").write_text("  Fe\t Ga\n 0.8 0.2\n 0.7 0.3\n")
    (tmp_path / "mag.txt").write_text("1,10\n2,20\n")
    table = read_tables(["composition.txt", "mag.txt"], folder=tmp_path)
    assert list(table.columns) == ["Fe", "Ga", "mag.1", "mag.2"]
    assert table.column("mag.2") == (10.0, 20.0)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a,b\n1,2\n3\n", "row 3 has 1 cells; 2 were expected"),
        ("a,b\n", "no row"),
        ("", "is empty"),
        ("a,a\n1,2\n", "names a column twice"),
        ("a,b\n,2\n", "a is empty in row 1"),
    ],
)
def test_a_table_that_is_none_is_refused(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "t.csv").write_text(content)
    with pytest.raises(UnreadableFile, match=said):
        candidate_rows("t.csv", ["a"], folder=tmp_path)


def test_files_of_different_length_are_not_joined(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    (tmp_path / "c.csv").write_text("c,d\n1,2\n3,4\n")
    with pytest.raises(UnreadableFile, match=r"c\.csv has 2 rows and a\.csv has 1"):
        read_tables(["a.csv", "c.csv"], folder=tmp_path)


def test_a_missing_data_set_is_named_with_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SDLAB_DATA", str(tmp_path))
    assert data_folder() == tmp_path
    with pytest.raises(UnreadableFile, match=r"planner/pvlab is not here.*SDLAB_DATA"):
        locate("shared-data:planner/pvlab/pools/P3HT.csv", folder=Path())
    with pytest.raises(UnreadableFile, match="leads out of the data folder"):
        locate("shared-data:../../etc/passwd", folder=Path())


def test_without_the_variable_the_data_lie_beside_the_checkout(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("SDLAB_DATA", raising=False)
    checkout = Path(__file__).resolve().parents[2]
    assert data_folder() == checkout.parent / "shared" / "data"
