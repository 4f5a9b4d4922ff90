"""The made-up addresses of the real Connecticut."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from application.synth.connecticut import BOX, COLUMNS, addresses, main, zips

ROWS = list(addresses(20_000, 1))
OF = {column: number for number, column in enumerate(COLUMNS)}


def values(column: str) -> list[str]:
    return [row[OF[column]] for row in ROWS]


@pytest.mark.parametrize("rows", [0, 1, 7, 1000])
def test_there_are_as_many_as_were_asked_for(rows: int) -> None:
    assert len(list(addresses(rows, 1))) == rows


def test_a_seed_always_makes_the_same_and_another_seed_does_not() -> None:
    assert list(addresses(500, 1)) == list(addresses(500, 1)) != list(addresses(500, 2))


def test_towns_and_postcodes_are_real_and_all_there() -> None:
    real = {(each.code, each.town) for each in zips()}
    assert set(zip(values("POSTCODE"), values("CITY"), strict=True)) == real
    assert len(real) > 250
    assert set(values("REGION")) == {"CT"}


def test_all_lie_in_the_state_and_around_their_postcode() -> None:
    middles = {each.code: (each.lon, each.lat) for each in zips()}
    west, south, east, north = BOX
    for row in ROWS:
        lon, lat, code = float(row[0]), float(row[1]), row[OF["POSTCODE"]]
        assert west < lon < east
        assert south < lat < north
        assert abs(lon - middles[code][0]) < 0.1
        assert abs(lat - middles[code][1]) < 0.1


def test_a_hash_is_sixteen_hexadecimal_digits_and_one_address() -> None:
    hashes = values("HASH")
    assert all(len(each) == 16 and set(each) <= set("0123456789abcdef") for each in hashes)
    assert len(set(hashes)) == len(ROWS)


def test_neighbours_are_near_and_flats_are_at_one_position() -> None:
    streets = defaultdict(list)
    for row in ROWS:
        streets[row[OF["STREET"]], row[OF["POSTCODE"]]].append(row)
    for rows in streets.values():
        assert max(float(row[1]) for row in rows) - min(float(row[1]) for row in rows) < 0.01
    buildings = Counter(row[:5][:2] for row in ROWS if row[OF["UNIT"]])
    assert max(buildings.values()) > 3
    assert 0.1 < sum(buildings.values()) / len(ROWS) < 0.6


def test_the_command_writes_the_columns_of_openaddresses(tmp_path: Path) -> None:
    file = tmp_path / "ct.csv"
    assert main(["--rows", "50", "--seed", "3", str(file)]) == 0
    with file.open(encoding="utf-8", newline="") as lines:
        first, *rows = csv.reader(lines)
    assert tuple(first) == COLUMNS
    assert [tuple(row) for row in rows] == list(addresses(50, 3))


def test_the_command_says_what_it_cannot_write(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--rows", "1", str(tmp_path / "no" / "ct.csv")]) == 2
    assert "ct.csv cannot be written (No such file or directory)" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        main(["--rows", "-1", str(tmp_path / "ct.csv")])
