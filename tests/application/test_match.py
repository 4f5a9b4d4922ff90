"""Who a post is from: the rules one by one, and the laws that they keep together."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.addresses import Index
from application.match import match_all
from application.records import Match, Place, Point, Post
from tests.application.neighbourhood import Address, Client, key, post, town

LON, LAT = -72.5212345, 41.7812345
HERE = Point(LON, LAT)
STEP = 0.00012  # about 10 m along a parallel


def away(metres: float) -> Point:
    return Point(round(LON + STEP * metres / 10, 7), LAT)


def box(size: float, kind: str = "city", name: str = "Manchester, CT", east: float = 0.0) -> Place:
    lon = LON + east
    return Place("1", name, kind, lon - size, LAT - size, lon + size, LAT + size)


HOME = Address("home", LON, LAT, key(12))
NEXT = Address("next", LON + 6 * STEP, LAT, key(14))
FLATS = [Address(f"flat{unit}", LON + 30 * STEP, LAT, key(20, unit)) for unit in "ABC"]
FAR = Address("far", LON - 0.05, LAT, key(7, street="ELM ST", city="VERNON"))
BOB = Client("bob", key=key(12), handle="BobTrades", household="h1")
ANA = Client("ana", "Ana", "García López", key(20, "B"))
JOHN = Client("john", "John", "Doe", FAR.key, city="Vernon")
STREET = town([HOME, NEXT, *FLATS, FAR], [BOB, ANA, JOHN])


def match(written: Post, index: Index = STREET) -> Match:
    (found,) = match_all([written], index)
    return found


@pytest.mark.parametrize(
    ("written", "category", "who", "where"),
    [
        pytest.param(post("Bob Smith", HERE), "customer", "bob", "home", id="full name"),
        pytest.param(post("Bob Smith", away(50)), "customer", "bob", "home", id="nearer next door"),
        pytest.param(post("R. Smith", HERE), "customer", "bob", "home", id="initial"),
        pytest.param(post("Bob", HERE), "customer", "bob", "home", id="given name alone"),
        pytest.param(post("Ann Smith", HERE), "household_member", "bob", "home", id="family"),
        pytest.param(post("Ann Jones", HERE), "household_member", "bob", "home", id="other name"),
        pytest.param(post("Ann Jones", away(60)), "prospect", None, "next", id="next door"),
        pytest.param(post("Ana Garcia", away(300)), "customer", "ana", "flatB", id="in a flat"),
        pytest.param(post("Ann Jones", away(300)), "prospect", None, "flatA", id="some flat"),
        pytest.param(post("Ana", away(300)), "prospect", None, "flatA", id="a given name of many"),
        pytest.param(post("Bob Smith", away(-600)), "customer", "bob", "home", id="in the woods"),
        pytest.param(
            post("R. Smith", away(-600)), "unknown", None, None, id="initial in the woods"
        ),
        pytest.param(post("Bob Smith", away(-6000)), "unknown", None, None, id="in other woods"),
        pytest.param(
            post("Bob Smith", away(-6000), "x", "Manchester, CT"),
            "customer",
            "bob",
            "home",
            id="in other woods, from the town",
        ),
        pytest.param(
            post("Bob Smith", box(0.1, east=1.0), "x", "Manchester, CT"),
            "customer",
            "bob",
            "home",
            id="in another town, from the town",
        ),
        pytest.param(post("Bob Smith", box(0)), "customer", "bob", "home", id="a shop's box"),
        pytest.param(post("Bob Smith", box(0.1)), "customer", "bob", "home", id="in town"),
        pytest.param(post("R. Smith", box(0.1)), "customer", "bob", "home", id="initial in town"),
        pytest.param(post("Ann Smith", box(0.1)), "prospect", None, None, id="family in town"),
        pytest.param(post("John Doe", box(0.01)), "prospect", None, None, id="beyond the box"),
        pytest.param(post("Bob Smith", box(5)), "unknown", None, None, id="too wide"),
        pytest.param(
            post("Bob Smith", box(0.1, "country")), "unknown", None, None, id="a small country"
        ),
        pytest.param(
            post("Zed", away(60), "bobtrades"), "customer", "bob", "home", id="handle nearby"
        ),
        pytest.param(post("Zed", None, "BOBTRADES"), "customer", "bob", "home", id="handle only"),
        pytest.param(
            post("Zed", box(40, "country"), "BobTrades"), "customer", "bob", "home", id="handle"
        ),
        pytest.param(
            post("Bob Smith", None, "x", "Manchester, CT"), "customer", "bob", "home", id="town"
        ),
        pytest.param(
            post("Bob Smith", None, "x", "MANCHESTER"), "customer", "bob", "home", id="no state"
        ),
        pytest.param(
            post("Bob Smith", None, "x", "Manchester, UK"), "unknown", None, None, id="elsewhere"
        ),
        pytest.param(
            post("Ann Smith", None, "x", "Manchester CT"), "unknown", None, None, id="not she"
        ),
        pytest.param(post("Bob Smith", None), "unknown", None, None, id="a name and no place"),
    ],
)
def test_a_rule_decides(written: Post, category: str, who: str | None, where: str | None) -> None:
    found = match(written)
    assert (found.category, found.customer_id, found.address_id) == (category, who, where)
    assert (found.confidence == 0) == (category == "unknown")


def test_the_evidence_is_a_sentence() -> None:
    assert match(post("Bob Smith", away(31))).evidence == (
        "31 m from 12 MAPLE ST, MANCHESTER; name matches a customer's there"
    )
    assert match(post("Ana Garcia", away(300))).evidence == (
        "0 m from 20 MAPLE ST UNIT B, MANCHESTER; name matches a customer's there"
    )
    assert match(post("Zed", away(4000), "bobtrades")).evidence == (
        "4.0 km from 12 MAPLE ST, MANCHESTER; the CRM has the handle BobTrades"
    )
    assert match(post("Bob Smith", box(0.1))).evidence == (
        "in Manchester, CT: the only customer of that name there"
    )


def test_the_distance_is_told() -> None:
    assert match(post("Bob Smith", away(50))).distance_m == pytest.approx(50, abs=1)
    assert match(post("Bob Smith", box(0.1))).distance_m is None


@pytest.mark.parametrize(
    ("shown", "username"),
    [
        ("Kimberly Jones", "kimberlyjones"),
        ("James Miller", "jmiller77"),
        ("Sara Holt", "happysunday"),
        ("Sara Holt", "CoffeeLee"),
        ("Kim Novak", "novak_k"),
    ],
)
def test_a_piece_of_a_name_makes_no_household(shown: str, username: str) -> None:
    people = [("Soo", "Kim"), ("Robert", "James"), ("Tom", "Day"), ("Ann", "Lee")]
    index = town([HOME, NEXT], [Client(last, first, last, HOME.key) for first, last in people])
    found = match(post(shown, away(60), username), index)
    assert (found.category, found.address_id, found.customer_id) == ("prospect", "next", None)


TWINS = town(
    [HOME, NEXT],
    [Client("b1", key=key(12)), Client("b2", key=key(12)), Client("b3", key=key(14))],
)


def test_namesakes_at_one_address_make_it_less_certain() -> None:
    found = match(post("Bob Smith", HERE), town([HOME], [BOB, Client("son", key=key(12))]))
    assert (found.category, found.customer_id, found.kin) == ("customer", "bob", ("son",))
    assert found.confidence < 0.6 < match(post("Bob Smith", HERE)).confidence


def test_several_of_a_name_in_a_box_are_ambiguous() -> None:
    found = match(post("Bob Smith", box(0.1)), TWINS)
    assert (found.category, found.customer_id) == ("prospect", None)
    assert found.evidence == (
        "in Manchester, CT: 3 customers of that name there, so which is not known"
    )
    assert match(post("Bob Smith", None, "x", "Manchester"), TWINS).category == "unknown"


def test_several_of_a_name_in_one_household_are_it() -> None:
    one_home = town([HOME], [Client("b1", key=key(12)), Client("b2", key=key(12))])
    managed = town(
        [HOME, NEXT],
        [Client("b1", key=key(12), household="h"), Client("b2", key=key(14), household="h")],
    )
    for index in (one_home, managed):
        found = match(post("Bob Smith", box(0.1)), index)
        assert (found.category, found.customer_id) == ("household_member", "b1")


def test_those_who_belong_together_are_told() -> None:
    family = town(
        [HOME, NEXT],
        [
            BOB,
            Client("ann", "Ann", "Jones", key(12)),
            Client("tim", "Tim", "Smith", key(12, "B"), household="h2"),
            Client("sue", "Sue", "Smith", key(12), household="h1"),
            Client("neighbour", "Bo", "Smith", key(14)),
        ],
    )
    assert match(post("Bob Smith", HERE), family).kin == ("ann", "tim")


def test_an_address_without_a_town_is_no_home() -> None:
    somewhere = "12|MAIN ST|||"
    index = town(
        [Address("here", LON, LAT, somewhere), Address("far", LON + 1, LAT, somewhere)],
        [Client("bob", key=somewhere), Client("ann", "Ann", "Jones", somewhere)],
    )
    for position in (HERE, Point(LON + 1, LAT)):
        found = match(post("Bob Smith", position), index)
        assert (found.category, found.customer_id, found.kin) == ("prospect", None, ())
    assert match(post("Bob Smith", None, "x", "Manchester"), index).kin == ()


def test_nothing_matches_in_nothing() -> None:
    places = (HERE, box(0), box(0.1), box(5), None)
    for found in match_all([post("Bob Smith", each) for each in places], town([])):
        assert (found.category, found.confidence) == ("unknown", 0)
    assert match(post("Bob Smith", HERE), town([HOME])).category == "prospect"
    assert match_all([], STREET) == []


# -- laws ----------------------------------------------------------------------------------------

NAMES = st.sampled_from(["Bob Smith", "R Smith", "Ann Smith", "Bob", "Zed Quill", "Ana Garcia", ""])
USERS = st.sampled_from(["x", "bobtrades", "rsmith", "annsmith"])
POINTS = st.builds(
    Point,
    st.floats(LON - 0.004, LON + 0.006).map(lambda lon: round(lon, 6)),
    st.floats(LAT - 0.003, LAT + 0.003).map(lambda lat: round(lat, 6)),
)
BOXES = st.builds(box, st.sampled_from([0.0, 0.0005, 0.004, 0.02, 0.1, 1.0, 5.0]))
PLACES = st.none() | POINTS | BOXES
POSTS = st.builds(post, NAMES, PLACES, USERS, st.sampled_from(["", "Manchester, CT", "Paris"]))


@given(st.lists(POSTS, max_size=6), st.randoms(use_true_random=False))
def test_no_order_changes_a_match(posts: list[Post], chance: random.Random) -> None:
    expected = match_all(posts, STREET)
    addresses, clients = [HOME, NEXT, *FLATS, FAR], [BOB, ANA, JOHN]
    chance.shuffle(addresses)
    chance.shuffle(clients)
    order = list(range(len(posts)))
    chance.shuffle(order)
    found = match_all([posts[number] for number in order], town(addresses, clients))
    assert found == [expected[number] for number in order]


@given(POSTS)
def test_the_ids_of_a_match_belong_together(written: Post) -> None:
    found = match(written)
    ids = {each.id for each in (HOME, NEXT, *FLATS, FAR)}
    assert 0 <= found.confidence <= 1
    assert found.evidence
    assert found.address_id is None or found.address_id in ids
    if found.customer_id is None:
        assert found.category in ("prospect", "unknown")
        assert (found.household_id, found.kin) == (None, ())
    else:
        customer = STREET.customers[found.customer_id]
        assert found.category in ("customer", "household_member")
        assert (customer.address_id, customer.household_id) == (
            found.address_id, found.household_id
        )  # fmt: skip
        assert set(found.kin) <= STREET.customers.keys() - {found.customer_id}


@given(NAMES, USERS, st.floats(0, 400), st.floats(0, 400), st.booleans())
def test_moving_away_never_makes_it_more_certain(
    name: str, user: str, one: float, other: float, somebody: bool
) -> None:
    alone = town([HOME], [BOB] if somebody else [])
    near, far = sorted((one, other))
    positions = (away(near), away(far))
    here, there = match_all([post(name, each, user) for each in positions], alone)
    assert here.confidence >= there.confidence


@given(
    st.sampled_from(["Bob Smith", "R Smith", "Ann Smith"]),
    st.floats(0, 140),
    st.floats(0, 140),
    st.lists(POINTS, max_size=5),
)
def test_nor_does_it_for_a_name_among_other_houses(
    name: str, one: float, other: float, others: list[Point]
) -> None:
    houses = [Address(f"o{n}", p.lon, p.lat, key(50 + n)) for n, p in enumerate(others)]
    near, far = sorted((one, other))
    among = town([HOME, *houses], [BOB])
    here, there = match_all([post(name, away(near)), post(name, away(far))], among)
    assert here.customer_id == there.customer_id == "bob"
    assert here.confidence >= there.confidence


@given(NAMES, st.lists(st.floats(0, 1.2), min_size=2, max_size=2))
def test_a_smaller_box_is_never_less_certain(name: str, sizes: list[float]) -> None:
    alone = town([HOME], [BOB])
    smaller, larger = (match(post(name, box(size)), alone).confidence for size in sorted(sizes))
    assert smaller >= larger


@given(POINTS | BOXES)
def test_a_better_name_is_never_less_certain(place: Point | Place) -> None:
    alone = town([HOME], [BOB])
    by_name = [
        match(post(name, place), alone).confidence
        for name in ("Bob Smith", "R Smith", "Ann Smith", "Zed Quill")
    ]
    if match(post("Ann Smith", place), alone).category != "prospect":
        assert by_name == sorted(by_name, reverse=True)
    assert match(post("Zed", place, "bobtrades"), alone).confidence >= by_name[0]
