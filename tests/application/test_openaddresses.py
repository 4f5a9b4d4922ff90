"""Geo files as they come: good rows, bad rows, and files that are none."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from application.geo_load import written
from application.openaddresses import (
    LONGEST_LINE,
    Address,
    Reject,
    UnusableFileError,
    addresses,
)

HEADER = "LON,LAT,NUMBER,STREET,UNIT,CITY,DISTRICT,REGION,POSTCODE,ID,HASH"
GOOD = "-72.52,41.77,12,Main Street,Apt 4,Manchester,Hartford,CT,6040,77,abc123"
BLANK_STREET = "-72.52,41.77,12, ,,Manchester,,CT,06040,,x"


def read(*lines: str | bytes, end: bytes = b"\n") -> list[Address | Reject]:
    content = end.join(line.encode() if isinstance(line, str) else line for line in lines)
    return list(addresses(io.BytesIO(content)))


def test_a_row_becomes_an_address_with_its_key() -> None:
    assert read(HEADER, GOOD) == [
        Address(
            line=2,
            id="abc123",
            lon="-72.52",
            lat="41.77",
            number="12",
            street="Main Street",
            unit="Apt 4",
            city="Manchester",
            region="CT",
            postcode="06040",
            key="12|MAIN ST|4|MANCHESTER|06040",
        )
    ]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(f"{HEADER}\r\n{GOOD}\r\n".encode(), id="CRLF"),
        pytest.param(f"\ufeff{HEADER}\n{GOOD}".encode(), id="BOM, no last line end"),
        pytest.param(f"\n \n{HEADER}\n\n{GOOD}\n\n\r\n".encode(), id="empty lines"),
        pytest.param(f"{HEADER.lower()}\n{GOOD}\n".encode(), id="header in lower case"),
        pytest.param(
            ",".join(f'"{name}"' for name in HEADER.split(",")).encode()
            + b"\n"
            + ",".join(f'"{value}"' for value in GOOD.split(",")).encode(),
            id="everything quoted",
        ),
        pytest.param(
            f"X,{','.join(reversed(HEADER.split(',')))}\n"
            f"?,{','.join(reversed(GOOD.split(',')))}\n".encode(),
            id="another order and a column more",
        ),
    ],
)
def test_what_does_not_matter_does_not_matter(content: bytes) -> None:
    [found] = addresses(io.BytesIO(content))
    [expected] = read(HEADER, GOOD)
    assert isinstance(found, Address)
    assert isinstance(expected, Address)
    assert found._replace(line=2) == expected


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        pytest.param("-72,41,1,Elm St", "11 fields are expected, 4 found", id="too few"),
        pytest.param(GOOD + ",more", "11 fields are expected, 12 found", id="too many"),
        pytest.param(GOOD.replace("-72.52", "west"), "LON 'west' is no longitude", id="words"),
        pytest.param(GOOD.replace("-72.52", "nan"), "LON 'nan' is no longitude", id="NaN"),
        pytest.param(GOOD.replace("-72.52", "-7_2"), "LON '-7_2' is no longitude", id="underscore"),
        pytest.param(GOOD.replace("41.77", "91"), "LAT '91' is no latitude", id="off the globe"),
        pytest.param(GOOD.replace(",12,", ",,"), "NUMBER is empty", id="no number"),
        pytest.param(BLANK_STREET, "STREET is empty", id="no street"),
        pytest.param(
            GOOD.replace("Manchester", "M" * 201), "CITY has more than 200 characters", id="long"
        ),
        pytest.param(
            GOOD.replace("Main", '"Main'), "a quote is not closed", id="a quote inside a field"
        ),
        pytest.param(
            GOOD.replace("Main Street", '"Main Street'), "a quote is not closed", id="open quote"
        ),
        pytest.param(GOOD.encode().replace(b"Main", b"M\xe4in"), "byte 18 is not UTF-8", id="8859"),
        pytest.param(GOOD.replace("Main", "Ma\0in"), "it holds a NUL byte", id="NUL"),
        pytest.param("x" * 10_000_000, f"longer than {LONGEST_LINE} bytes", id="10 MB"),
        pytest.param('"' * 10_000_000, f"longer than {LONGEST_LINE} bytes", id="10 MB of quotes"),
    ],
)
def test_a_bad_row_is_told_and_costs_no_other(line: str | bytes, reason: str) -> None:
    before, bad, after = read(HEADER, GOOD, line, GOOD)
    assert isinstance(before, Address)
    assert isinstance(after, Address)
    assert isinstance(bad, Reject)
    assert bad.line == 3
    assert reason in bad.reason
    assert bad.record.isprintable()
    assert len(bad.record) <= 1000


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", "it is empty", id="empty"),
        pytest.param(b"\n\n \r\n", "it is empty", id="blank"),
        pytest.param(GOOD.encode(), "its header lacks LON, LAT", id="no header"),
        pytest.param(
            HEADER.replace(",HASH", "").replace("STREET", "ROAD").encode(),
            "its header lacks STREET and has LON",
            id="another column",
        ),
        pytest.param(HEADER.replace(",", ";").encode(), "with commas", id="semicolons"),
        pytest.param(HEADER.encode() + b",LON", "has LON twice", id="a column twice"),
        pytest.param(HEADER.encode("utf-16-le"), "UTF-16", id="UTF-16"),
        pytest.param(HEADER.encode("utf-16"), "export it as UTF-8", id="UTF-16 with its mark"),
        pytest.param(b"PK\x03\x04abc", "as ZIP", id="ZIP"),
        pytest.param(b"x" * 10_000_000, "no CSV", id="10 MB without a line end"),
    ],
)
def test_a_file_of_something_else_is_refused_whole(content: bytes, reason: str) -> None:
    with pytest.raises(UnusableFileError, match=reason) as error:
        list(addresses(io.BytesIO(content)))
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 500


def test_without_hash_the_key_makes_the_identity() -> None:
    here, there, unkeyed, elsewhere = read(
        "LON,LAT,NUMBER,STREET,UNIT,CITY,REGION,POSTCODE",
        "-72.5,41.7,12,Main St,,Manchester,CT,06040",
        "-72.6,41.8,12,MAIN STREET,,manchester,CT,6040",
        "-72.5,41.7,12,Main St,,,CT,",
        "-72.6,41.8,12,Main St,,,CT,",
    )
    assert isinstance(here, Address)
    assert isinstance(there, Address)
    assert isinstance(unkeyed, Address)
    assert isinstance(elsewhere, Address)
    assert here.id == there.id
    assert unkeyed.id != elsewhere.id


def test_control_characters_become_blanks() -> None:
    address, bad = read(HEADER, GOOD.replace("n S", "n\r\x85\tS"), "no\rrow\N{LINE SEPARATOR}")
    assert isinstance(address, Address)
    assert (address.street, address.key) == ("Main   Street", "12|MAIN ST|4|MANCHESTER|06040")
    assert isinstance(bad, Reject)
    assert bad.record == "no row "


class Metered(io.BytesIO):
    """A file that knows the most that was asked of it at once."""

    most = 0

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        self.most = max(self.most, len(line))
        return line


@settings(max_examples=25)
@given(st.lists(st.integers(0, 3 * LONGEST_LINE), max_size=5))
def test_no_line_is_held_beyond_its_bound(lengths: Sequence[int]) -> None:
    file = Metered("\n".join([HEADER, *("x" * length for length in lengths)]).encode())
    assert all(isinstance(row, Reject) for row in addresses(file))
    assert file.most <= LONGEST_LINE + 1


NOISE = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=50).map(lambda text: GOOD.replace("Main", text).encode()),
    st.text('ab"\r\\N\t \x85', max_size=20).map(lambda text: f"-72,41,1,{text},,,,,,,".encode()),
)


@settings(max_examples=60)
@given(NOISE)
@example(b"-72,41,1,Main\rStreet,,,,,,,")
@example(b"no\rrow")
def test_any_bytes_are_an_address_or_a_reject_also_for_the_reader_of_what_is_written(
    noise: bytes,
) -> None:
    lines = [line for line in noise.split(b"\n") if line.strip()]
    found = read(HEADER, GOOD, noise, GOOD)
    assert len(found) == len(lines) + 2
    assert isinstance(found[-1], Address)
    rows = [
        [str(value) for value in (row if isinstance(row, Address) else (row.line, row.record))]
        for row in found
    ]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "rows.csv.gz"
        with written(path) as write:
            for row in rows:
                write(row)
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            text = file.read()
    assert text.count("\n") == len(rows)
    assert list(csv.reader(io.StringIO(text, newline=""), strict=True)) == rows
