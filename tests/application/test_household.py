"""Who lives together and who is not yet managed together."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.household import HOME, Resident, building, kin, one_household, parts
from application.names import name
from application.records import Customer
from tests.application.neighbourhood import key


def resident(
    id: str, last: str = "Smith", address: str = key(12, "A"), household: str | None = None
) -> Resident:
    customer = Customer(id, "Ann", last, None, None, household, True, True)
    return Resident(customer, name("Ann", last), address, "manchester")


ME = resident("me", household="h1")


@pytest.mark.parametrize(
    ("other", "is_kin"),
    [
        pytest.param(resident("x"), True, id="same address, no household"),
        pytest.param(resident("x", household="h2"), True, id="same address, another household"),
        pytest.param(resident("x", household="h1"), False, id="managed together"),
        pytest.param(resident("x", "Jones"), True, id="another name at the same address"),
        pytest.param(resident("x", "Smith", key(12, "B")), True, id="the family next door"),
        pytest.param(resident("x", "Smith-Jones", key(12, "B")), True, id="half of the name"),
        pytest.param(resident("x", "Jones", key(12, "B")), False, id="a neighbour"),
        pytest.param(resident("me"), False, id="oneself"),
    ],
)
def test_kin_are_those_of_the_address_or_the_family(other: Resident, is_kin: bool) -> None:
    assert kin(ME, [ME, other]) == (("x",) if is_kin else ())


def test_without_households_everyone_of_the_address_is_kin() -> None:
    people = [resident("1"), resident("2"), resident("3", "Jones")]
    assert kin(people[0], people) == ("2", "3")


def test_an_address_of_many_is_a_house_without_its_flats() -> None:
    crowd = [ME, resident("brother"), *(resident(f"{n}", f"N{'x' * n}") for n in range(HOME))]
    assert kin(ME, crowd) == ("brother",)


@given(
    st.lists(
        st.builds(
            resident,
            st.sampled_from("abcd"),
            st.sampled_from(["Smith", "Jones", "Smith Jones"]),
            st.sampled_from([key(12), key(12, "B")]),
            st.sampled_from([None, "h1", "h2"]),
        ),
        unique_by=lambda each: each.customer.id,
    )
)
def test_kinship_is_mutual(people: Sequence[Resident]) -> None:
    kinship = {each.customer.id: kin(each, people) for each in people}
    assert all(one in kinship[other] for one, others in kinship.items() for other in others)
    assert kinship == {each.customer.id: kin(each, people[::-1]) for each in people}


def test_a_household_is_one_id_or_one_family_at_one_address() -> None:
    assert one_household([ME, resident("x", "Jones", key(99), "h1")])
    assert one_household([resident("1"), resident("2")])
    assert not one_household([resident("1"), resident("2", address=key(12, "B"))])
    assert not one_household([resident("1"), resident("2", "Jones")])
    assert not one_household([resident("1", address=""), resident("2", address="")])


def test_a_building_is_an_address_without_its_unit() -> None:
    assert building(key(12, "A")) == building(key(12)) != building(key(14))
    assert parts("12|MAPLE ST|A|MANCHESTER|06040")[2] == "A"


@pytest.mark.parametrize(
    "text",
    ["", "||||", "|MAPLE ST||MANCHESTER|06040", "12|MAPLE ST|A||", "12", "a|b|c|d|e|f"],
)
def test_what_names_no_house_is_no_building(text: str) -> None:
    assert building(text) == ""


@pytest.mark.parametrize("text", ["12|MAPLE ST||MANCHESTER|", "12|MAPLE ST|||06040"])
def test_a_town_or_a_postcode_is_enough_for_a_building(text: str) -> None:
    assert building(text)
