"""Tables as spreadsheets write them."""

from pathlib import Path

import pytest

from mien.errors import DataError
from mien.files import read_table


def _written(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("mark", [b",", b";", b"\t"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_columns_may_be_parted_as_any_spreadsheet_does(
    tmp_path: Path, mark: bytes, end: bytes
) -> None:
    lines = [mark.join(cells) for cells in ([b"name", b"label"], [b"a", b"happy"], [b"b"])]
    path = _written(tmp_path, b"\xef\xbb\xbf" + end.join(lines) + end)
    assert read_table(path) == (
        ["name", "label"],
        [(2, {"name": "a", "label": "happy"}), (3, {"name": "b", "label": ""})],
    )


def test_decimal_commas_are_read_where_commas_part_nothing_else(tmp_path: Path) -> None:
    path = _written(tmp_path, b"intensity;gaze;name\n0,5 1;0,1;1,5 m\n")
    _, rows = read_table(path, pairs=("gaze",))
    assert rows == [(2, {"intensity": "0.5 1", "gaze": "0,1", "name": "1,5 m"})]
    path = _written(tmp_path, b'intensity,name\n"0,5",x\n')
    assert read_table(path)[1] == [(2, {"intensity": "0,5", "name": "x"})]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"name,label\nx,happy,0,5\n", "line 2 has more cells than the heading"),
        (b"name\n\xff\n", "not a CSV file in UTF-8"),
    ],
)
def test_what_is_no_table_is_told(tmp_path: Path, content: bytes, told: str) -> None:
    with pytest.raises(DataError, match=told):
        read_table(_written(tmp_path, content))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_table(tmp_path / "none.csv")
