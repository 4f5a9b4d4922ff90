"""The address key, by cases and by its laws."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.postal import address_key

MANCHESTER = ("12", "Main Street", "Apt 4B", "Manchester", "06040")
KEY = "12|MAIN ST|4B|MANCHESTER|06040"

texts = st.text(
    st.sampled_from("aBcdefilnorstu 0126.'\u2019-/#½éßØı²\tAPTFLSECONDª|")
    | st.characters(codec="utf-8"),
    max_size=14,
)
addresses = st.tuples(texts, texts, texts, texts, texts)


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(("12", "MAIN ST", "4B", "MANCHESTER", "06040"), id="the key's own parts"),
        pytest.param(("12", "main  street.", "apartment 4b", "manchester", "06040"), id="in full"),
        pytest.param(("12", "Main St.", "# 4B", " Manchester ", "06040-1234"), id="sign and ZIP+4"),
        pytest.param(("012", "Main Strt", "unit 4-B", "MÁNCHESTER", "6040"), id="a zero lost"),
        pytest.param(("12", "Main Str", "4 B", "Manchester", "6040-1234"), id="ZIP+4, a zero lost"),
        pytest.param(("12", "Main St", "#4B", "Manchester", "60401234"), id="eight digits"),
        pytest.param(("12", "Main St", "Suite 04B", "Manchester", "6040.0"), id="a spreadsheet's"),
    ],
)
def test_the_many_spellings_of_an_address_have_one_key(written: tuple[str, ...]) -> None:
    assert address_key(*written) == address_key(*MANCHESTER) == KEY


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("North Main Street", "N. Main St", id="direction"),
        pytest.param("Main Street Southwest", "MAIN ST S.W.", id="direction behind"),
        pytest.param("Second Avenue", "2nd Av", id="ordinal"),
        pytest.param("O'Brien Lane", "OBrien Ln", id="apostrophe"),
        pytest.param("O\u2019Brien Lane", "O'BRIEN LN", id="typographic apostrophe"),
        pytest.param("Saint John Street", "St. John St", id="saint"),
        pytest.param("Lake-View Terrace", "Lake View Ter", id="hyphen"),
        pytest.param("Châtelet Boulevard", "CHATELET BLVD", id="accent"),
        pytest.param("U.S. Route 6", "US Rte 6", id="route"),
    ],
)
def test_streets_meet_across_their_spellings(one: str, other: str) -> None:
    assert address_key("1", one, "", "", "") == address_key("1", other, "", "", "")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(("12", "Main St", "", "", ""), ("13", "Main St", "", "", ""), id="number"),
        pytest.param(("12", "Main St", "", "", ""), ("12", "Main Ave", "", "", ""), id="suffix"),
        pytest.param(("12", "N Elm St", "", "", ""), ("12", "S Elm St", "", "", ""), id="side"),
        pytest.param(("12", "Elm St", "4", "", ""), ("12", "Elm St", "4A", "", ""), id="unit"),
        pytest.param(("12", "Elm St", "Rear", "", ""), ("12", "Elm St", "", "", ""), id="rear"),
        pytest.param(("1", "2nd St", "", "", ""), ("12", "nd St", "", "", ""), id="where it ends"),
        pytest.param(("", "", "", "", "06040"), ("", "", "", "", "06041"), id="ZIP"),
    ],
)
def test_different_addresses_keep_different_keys(
    one: tuple[str, ...], other: tuple[str, ...]
) -> None:
    assert address_key(*one) != address_key(*other)


@pytest.mark.parametrize(
    ("unit", "key"),
    [
        ("2nd Floor", "2"),
        ("FL 2", "2"),
        ("second floor", "2"),
        ("Basement", "BSMT"),
        ("12½", "12 1 2"),
        ("12\u201314", "12 14"),
        ("Apt", ""),
        ("", ""),
    ],
)
def test_a_unit_is_what_is_behind_its_designator(unit: str, key: str) -> None:
    assert address_key("", "", unit, "", "") == f"||{key}||"


@given(addresses)
def test_the_parts_of_a_key_have_that_key(address: tuple[str, ...]) -> None:
    key = address_key(*address)
    assert address_key(*key.split("|")) == key


@given(addresses)
def test_case_and_white_space_do_not_count(address: tuple[str, ...]) -> None:
    written = tuple(f" {part.upper()}\t" for part in address)
    assert address_key(*written) == address_key(*address)


@given(addresses)
def test_a_key_is_five_parts_of_plain_words(address: tuple[str, ...]) -> None:
    assert re.fullmatch(r"(?:(?:[A-Z0-9]+(?: [A-Z0-9]+)*)?\|?){1,5}", address_key(*address))
    assert address_key(*address).count("|") == 4
