"""Names by cases and by their laws."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.names import (
    Likeness,
    Name,
    compare,
    customer_keys,
    family_keys,
    fold,
    likeness,
    name,
    profile,
    profile_keys,
    whole_keys,
)

FULL, INITIAL, FAMILY = Likeness.FULL, Likeness.INITIAL, Likeness.FAMILY
GIVEN, OTHER = Likeness.GIVEN, Likeness.OTHER

GIVEN_NAMES = st.sampled_from(
    "Robert Bob José Jose Pepe María Zoë Jean-Luc Ana Anne-Marie J Katie Catherine Li Ng".split()  # noqa: SIM905
)
FAMILIES = st.sampled_from(
    [
        "Smith",
        "García López",
        "García",
        "García-Pérez",
        "O'Brien",
        "de la Cruz",
        "Núñez",
        "Li",
        "Le",
    ]
)
PEOPLE = st.builds(name, GIVEN_NAMES, FAMILIES)


@pytest.mark.parametrize(
    ("first", "last", "shown", "username", "how"),
    [
        pytest.param("Robert", "Smith", "Robert Smith", "x", FULL, id="as it is"),
        pytest.param("Robert", "Smith", "SMITH, Robert", "x", FULL, id="the other order"),
        pytest.param("Robert", "Smith", "Bob Smith", "x", FULL, id="nickname"),
        pytest.param("Bob", "Smith", "Robbie Smith", "x", FULL, id="two nicknames"),
        pytest.param("José", "Núñez", "Jose Nunez", "x", FULL, id="accents"),
        pytest.param("José", "Núñez", "Pepe NUÑEZ", "x", FULL, id="Spanish nickname"),
        pytest.param(
            "Zoë", "Müller", "🎉 Dr. Zoe Müller, CFA 📈", "x", FULL, id="emoji and titles"
        ),
        pytest.param("Robert", "Smith", "ⓇⓄⒷⒺⓇⓉ ⓢⓜⓘⓣⓗ", "x", FULL, id="fancy letters"),
        pytest.param("Ana", "García López", "Ana García", "x", FULL, id="first of two surnames"),
        pytest.param("Ana", "García", "Ana García López", "x", FULL, id="two surnames shown"),
        pytest.param("Ana", "García López", "Ana García-López", "x", FULL, id="hyphen"),
        pytest.param("Ann", "Smith-Jones", "Ann Jones", "x", FULL, id="half of a hyphen"),
        pytest.param("Ana", "García López", "Ana García Pérez", "x", FAMILY, id="a relative"),
        pytest.param("María", "de la Cruz", "Maria Cruz", "x", FULL, id="particles"),
        pytest.param("Brian", "O'Brien", "Brian O\u2019Brien", "x", FULL, id="apostrophes"),
        pytest.param("Robert", "Smith", "Robert Q. Smith Jr.", "x", FULL, id="middle initial"),
        pytest.param("Jean-Luc", "Roy", "Jean Luc Roy", "x", FULL, id="double given name"),
        pytest.param("Robert", "Smith", "R. Smith", "x", INITIAL, id="initial"),
        pytest.param("R", "Smith", "Robert Smith", "x", INITIAL, id="the CRM has the initial"),
        pytest.param("Robert", "Smith", "T. Smith", "x", FAMILY, id="another initial"),
        pytest.param("Robert", "Smith", "Ann Smith", "x", FAMILY, id="a relative's"),
        pytest.param("Robert", "Smith", "The Smith Family", "x", FAMILY, id="a family"),
        pytest.param("Robert", "Smith", "Bob", "x", GIVEN, id="given name alone"),
        pytest.param("Robert", "Smith", "Robert Jones", "x", OTHER, id="another family"),
        pytest.param("Robert", "Smith", "I love the stock market so much", "x", OTHER, id="motto"),
        pytest.param("Robert", "Smith", "Frugal in Fairfield", "bobsmith", FULL, id="short motto"),
        pytest.param("Robert", "Smith", "", "", OTHER, id="nothing"),
        pytest.param("", "", "Robert Smith", "x", OTHER, id="a customer without a name"),
        pytest.param("Robert", "Smith", "Sunny", "robertsmith82", FULL, id="user name"),
        pytest.param("Robert", "Smith", "Sunny Day", "SmithBob_CT", FULL, id="humps and state"),
        pytest.param("Robert", "Smith", "Sunny Day", "bob_smith", FULL, id="underscore"),
        pytest.param("Robert", "Smith", "Sunny", "rsmith1", INITIAL, id="initial before"),
        pytest.param("Robert", "Smith", "", "smithr", INITIAL, id="initial behind"),
        pytest.param("Ana", "García López", "", "anagarcialopez", FULL, id="all in one"),
        pytest.param("Robert", "Smith", "", "smith1970", FAMILY, id="family and a year"),
        pytest.param("Robert", "Smith", "Bob Jones", "bob", OTHER, id="the user name says less"),
        pytest.param("Robert", "Smith", "R Smith", "robertsmith", FULL, id="more than shown"),
        pytest.param("Robert", "Smith", "", "smith_ct", FAMILY, id="family and the state"),
        pytest.param("Robert", "Smith", "SMITH, Ann", "x", FAMILY, id="a relative's, by comma"),
        pytest.param("Robert", "Smith", "R. Smith, CFA", "x", INITIAL, id="comma and a title"),
        pytest.param("Robert", "Smith", "Ann Smith, Realtor", "x", FAMILY, id="comma and a trade"),
        pytest.param("Ana", "García", "Luis García", "x", FAMILY, id="one of one surname"),
        pytest.param("Soo", "Kim", "Kimberly Jones", "kimberlyjones", OTHER, id="letters before"),
        pytest.param("Soo", "Kim", "Kimberly", "kimberlyjones", OTHER, id="letters alone"),
        pytest.param("Soo", "Kim", "Kim Novak", "novak_k", OTHER, id="a given name"),
        pytest.param("Soo", "Kim", "Sara Kim Novak", "x", OTHER, id="a middle name"),
        pytest.param("Robert", "James", "James Miller", "jmiller77", OTHER, id="name and letters"),
        pytest.param("Tom", "Day", "Sara Holt", "happysunday", OTHER, id="letters behind"),
        pytest.param("Tom", "Day", "Sara Holt", "tday", OTHER, id="initial of another name"),
        pytest.param("Tom", "Day", "Sara Holt", "t_day", OTHER, id="and with a gap"),
        pytest.param("Ann", "Lee", "Sara Holt", "CoffeeLee", OTHER, id="a hump"),
        pytest.param("Ann", "Lee", "Sara Holt", "annlee", OTHER, id="another name's letters"),
        pytest.param("Ann", "Lee", "Sara", "CoffeeLee", OTHER, id="a hump alone"),
    ],
)
def test_a_profile_tells_a_name(
    first: str, last: str, shown: str, username: str, how: Likeness
) -> None:
    assert likeness(name(first, last), profile(shown, username)) is how


def test_a_title_that_is_all_there_is_is_a_name() -> None:
    assert name("Miss", "Prof").family == ("prof",)


def test_folding_leaves_words() -> None:
    assert fold("  Łódź, St.-Étienne 2 ") == "lodz st etienne"


@given(PEOPLE, PEOPLE)
def test_it_does_not_matter_which_name_is_the_first(one: Name, other: Name) -> None:
    assert compare(one, other) is compare(other, one)


@given(PEOPLE)
def test_a_name_is_like_itself(person: Name) -> None:
    assert compare(person, person) >= INITIAL


@given(GIVEN_NAMES, FAMILIES, GIVEN_NAMES, FAMILIES)
def test_case_accents_and_order_do_not_count(
    first: str, last: str, given_name: str, family: str
) -> None:
    customer = name(first, last)
    shown = f"{given_name} {family}"
    bare = "".join(
        each for each in unicodedata.normalize("NFD", shown) if not unicodedata.combining(each)
    )
    how = likeness(customer, profile(shown, "x"))
    for other in (shown.upper(), shown.lower(), bare):
        assert likeness(customer, profile(other, "x")) is how
    assert likeness(name(first.upper(), last.upper()), profile(shown, "x")) is how


@given(PEOPLE, GIVEN_NAMES, FAMILIES, st.booleans())
def test_the_keys_find_whatever_is_at_least_an_initial(
    customer: Name, first: str, last: str, written_together: bool
) -> None:
    together = "".join(fold(f"{first} {last}").split())
    author = profile("", together) if written_together else profile(f"{first} {last}", "x")
    if likeness(customer, author) >= INITIAL:
        found = profile_keys(author, frozenset(family_keys(customer)))
        assert found & customer_keys(customer)
    if likeness(customer, author) is FULL:
        whole = whole_keys(author, frozenset(family_keys(customer)))
        assert not customer_keys(customer).isdisjoint(whole)


@pytest.mark.parametrize(
    ("shown", "username"),
    [
        pytest.param("Robert Smith", "x", id="two words"),
        pytest.param("Smith", "bobsmith", id="the family shown, and behind the given name"),
        pytest.param("Smith", "smithbob", id="the family shown, and before the given name"),
        pytest.param("Sunny", "bobsmith", id="in one word, the family behind"),
        pytest.param("Sunny", "smithbob", id="in one word, the family before"),
    ],
)
def test_a_full_name_is_found_by_its_key(shown: str, username: str) -> None:
    assert "robert smith" in set(whole_keys(profile(shown, username), {"smith"}))


PIECES = st.sampled_from("Robert R Ana Smith Garcia López Cruz Li Kim Day , - _ 7 ct".split())  # noqa: SIM905
TEXTS = st.lists(PIECES, max_size=4)


@given(PEOPLE, TEXTS, TEXTS)
def test_whoever_is_at_least_of_the_family_is_not_passed_over(
    customer: Name, shown: list[str], username: list[str]
) -> None:
    author = profile(" ".join(shown), "".join(username))
    if likeness(customer, author) >= FAMILY:
        assert author.may_be_of(family_keys(customer))
    if likeness(customer, author) >= INITIAL:
        assert profile_keys(author, frozenset(family_keys(customer))) & customer_keys(customer)
    if likeness(customer, author) is FULL:
        whole = whole_keys(author, frozenset(family_keys(customer)))
        assert not customer_keys(customer).isdisjoint(whole)


@given(st.text(max_size=60), st.text(max_size=20))
def test_any_text_is_a_profile(shown: str, username: str) -> None:
    assert likeness(name("Robert", "Smith"), profile(shown, username)) in Likeness
