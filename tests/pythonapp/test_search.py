"""Recent search, against the stand-in for X: nothing is missed, told twice or asked too often."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from misc.engines import x as engine
from pythonapp.backoff import WINDOW
from pythonapp.clock import Clock
from pythonapp.environment import XSettings
from pythonapp.errors import RefusedError, UnreachableError
from pythonapp.posts import Bookmark, Found, Quiet
from pythonapp.search import SEARCHES, Searcher, SearchSource, interval
from pythonapp.settings import Search, Settings
from tests.engines.waiting import free_port
from tests.pythonapp.engines import stand_in, x_of
from tests.pythonapp.scenes import FakeClock, post, settings


@pytest.fixture(scope="module")
def world() -> Iterator[XSettings]:
    """Run an X with 250 posts of the northeast and 30 of the northwest."""
    posts = [post(number, age=100_000 - number) for number in range(250)]
    posts += [post(number, age=50_000 - number, quadrant="ctnw") for number in range(30)]
    with engine.embedded(posts, limits={"searches": 10_000}) as environment:
        yield x_of(environment)


def source(
    x: XSettings, clock: Clock, *quadrants: Settings, every: float | None = 60.0
) -> SearchSource:
    return SearchSource(Search(every), quadrants or [settings()], x, clock)


def poll(source: SearchSource, saved: Mapping[str, str] | None = None) -> list[Any]:
    """Return what a source yields before it has nothing new."""
    items: list[Any] = []
    for item in source.read(saved or {}):
        if item is Quiet.NOTHING_NEW:
            return items
        items.append(item)
    return items


def ids(items: list[Any]) -> list[int]:
    posts = [each.payload for each in items if isinstance(each, Found)]
    return [int(each["data"]["id"]) for each in posts if isinstance(each, dict)]


def test_a_poll_reads_every_page_and_tells_the_oldest_first(world: XSettings) -> None:
    found = ids(poll(source(world, FakeClock())))
    assert len(found) == 250
    assert found == sorted(set(found))


def test_each_post_brings_its_own_author_and_place(world: XSettings) -> None:
    for each in poll(source(world, FakeClock())):
        (user,) = each.payload["includes"]["users"]
        assert user["id"] == each.payload["data"]["author_id"]
        assert len(each.payload["includes"]["places"]) == 1


def test_it_goes_on_after_the_id_that_was_saved(world: XSettings) -> None:
    items = poll(source(world, FakeClock()))
    middle = items[99].bookmark
    rest = poll(source(world, FakeClock()), {middle.name: middle.position})
    assert ids(rest) == ids(items)[100:]


def test_several_quadrants_keep_a_place_each(world: XSettings) -> None:
    items = poll(source(world, FakeClock(), settings("ctne"), settings("ctnw")))
    assert [each.quadrant for each in items] == ["ctne"] * 250 + ["ctnw"] * 30
    assert items[-1].bookmark.name == "ctnw-search"


def test_the_next_poll_comes_in_its_time_and_finds_only_what_is_new() -> None:
    with engine.embedded([post(1)]) as environment:
        x, clock = x_of(environment), FakeClock()
        found: list[str] = []
        for item in source(x, clock, every=60).read({}):
            if isinstance(item, Found):
                assert isinstance(item.payload, dict)
                found.append(item.payload["data"]["text"])
            if len(found) == 1 and item is Quiet.NOTHING_NEW:
                stand_in(x, "posts", [post(2, age=60)])
            if len(found) == 2:
                break
        assert found == ["my portfolio 1", "my portfolio 2"]
        assert sum(clock.waits) == pytest.approx(60)


def test_a_saved_id_that_is_too_old_for_x_reads_the_seven_days(world: XSettings) -> None:
    assert len(poll(source(world, FakeClock()), {"ctne-search": "1519056945277198339"})) == 250


def test_what_lies_outside_moves_the_place_without_a_post() -> None:
    outside = post(1)
    outside["data"]["geo"]["coordinates"]["coordinates"] = [-72.66, 41.8]
    with engine.embedded([outside]) as environment:
        (item,) = poll(source(x_of(environment), FakeClock()))
        assert item == Bookmark("ctne-search", outside["data"]["id"])


@pytest.mark.parametrize(
    ("fault", "waits"),
    [
        pytest.param({"status": 503, "times": 3}, [5, 10, 20], id="503: exponential"),
        pytest.param({"status": 500, "times": 1}, [5], id="500"),
        pytest.param({"status": 429, "times": 2}, [60, 120], id="429 without a reset"),
    ],
)
def test_what_heals_is_waited_for(fault: dict[str, Any], waits: list[float]) -> None:
    with engine.embedded([post(1)]) as environment:
        x, clock = x_of(environment), FakeClock()
        given = {"do": "refuse", "path": "search", "headers": {"x-rate-limit-remaining": "9"}}
        stand_in(x, "faults", {**given, **fault})
        items = poll(source(x, clock))
        assert len(ids(items)) == 1
        assert Quiet.TROUBLE in items
        assert sum(clock.waits) == pytest.approx(sum(waits))


@pytest.mark.parametrize(("every", "waits"), [(60.0, [60, 59, 58]), (5.0, [None] * 3)])
def test_a_long_wait_for_the_next_poll_tells_its_end(
    world: XSettings, every: float, waits: list[float | None]
) -> None:
    clock = FakeClock()
    searching = source(world, clock, every=every)
    left: list[float | None] = []
    for item in searching.read({}):
        if item is not Quiet.NOTHING_NEW:
            assert searching.due is None
            continue
        left.append(None if searching.due is None else round(searching.due - clock.now()))
        if len(left) == 3:
            break
    assert left == waits


def test_a_wait_that_x_asks_for_tells_its_end_too() -> None:
    with engine.embedded([post(1)]) as environment:
        x, clock = x_of(environment), FakeClock()
        headers = {"x-rate-limit-remaining": "9"}
        stand_in(x, "faults", {"do": "refuse", "path": "search", "status": 429, "headers": headers})
        searching = source(x, clock)
        dues = [searching.due for _ in until_found(searching)]
        assert len({due for due in dues if due is not None}) == 1
        assert dues[-1] is None


def until_found(searching: SearchSource) -> Iterator[Any]:
    for item in searching.read({}):
        yield item
        if isinstance(item, Found):
            return


def test_a_limit_is_waited_for_as_long_as_x_says() -> None:
    with engine.embedded([post(1)]) as environment:
        x, clock = x_of(environment), FakeClock()
        headers = {
            "x-rate-limit-reset": str(int(clock.time()) + 300),
            "x-rate-limit-remaining": "0",
        }
        fault = {"do": "refuse", "path": "search", "status": 429, "times": 1, "headers": headers}
        stand_in(x, "faults", fault)
        assert len(ids(poll(source(x, clock)))) == 1
        assert sum(clock.waits) == pytest.approx(301)


# The first word is in another query than the last.
FOUR_QUERIES = replace(settings(), track=("a" * 90, *(f"{'b' * 90}{each}" for each in range(3))))


def test_what_is_written_between_two_queries_of_a_poll_is_left_to_the_next() -> None:
    early = post(1, age=20, text=FOUR_QUERIES.track[0])
    late = post(2, age=10, text=FOUR_QUERIES.track[-1])
    limits = {"searches": 1, "window_seconds": 0.2, "search_delay_seconds": 0}
    with engine.embedded(limits=limits) as environment:
        x, clock = x_of(environment), FakeClock()
        found: list[int] = []
        pushed = False
        for item in source(x, clock, FOUR_QUERIES).read({}):
            if item is Quiet.TROUBLE and not pushed:  # the first query is answered
                stand_in(x, "posts", [early, late])
                pushed = True
            found += ids([item])
            if len(found) == 2 or clock.now() > 1_000_000 + 50 * WINDOW:
                break
    assert found == [int(each["data"]["id"]) for each in (early, late)]


def test_a_place_in_the_last_seconds_asks_for_nothing(world: XSettings) -> None:
    assert poll(source(world, FakeClock()), {"ctne-search": post(age=5)["data"]["id"]}) == []


@pytest.mark.parametrize("limit", [SEARCHES, 450])
@pytest.mark.parametrize("queries", [(5, 6, 7, 9), (27,) * 4, (1,) * 4, (15,) * 4, (16,) * 4])
def test_four_pods_stay_within_one_window(limit: int, queries: Sequence[int]) -> None:
    asked = sum(each * WINDOW / interval(each, 1, limit) for each in queries)
    assert asked <= limit
    assert interval(sum(queries), 4, limit) >= sum(queries) * WINDOW / limit


def test_how_often_it_polls_follows_from_what_x_tells() -> None:
    with engine.embedded(limits={"searches": 8}) as environment:
        x, clock = x_of(environment), FakeClock()
        reader = source(x, clock, every=None).read({})
        second = clock.now() + WINDOW / 2
        for until, asked in ((second - 1, 1), (second + 1, 2)):
            while clock.now() < until:
                next(reader)
            assert stand_in(x, "counts")["search"] == asked


def test_a_window_that_others_used_up_is_no_end() -> None:
    with engine.embedded([post(1)]) as environment:
        x, clock = x_of(environment), FakeClock()
        headers = {
            "x-rate-limit-reset": str(int(clock.time()) + 600),
            "x-rate-limit-remaining": "0",
        }
        fault = {"do": "refuse", "path": "search", "status": 429, "times": 3, "headers": headers}
        stand_in(x, "faults", fault)
        searcher = Searcher(settings(), 512, x, clock, patience=100)
        assert [each for each in searcher.newer(None) if not isinstance(each, Quiet)]


def test_pods_share_a_window_and_all_come_to_their_end() -> None:
    limits = {"searches": 3, "window_seconds": 0.2}
    posts = [post(number, text=FOUR_QUERIES.track[number]) for number in range(4)]
    with engine.embedded(posts, limits=limits) as environment, ThreadPoolExecutor(2) as pods:
        x = x_of(environment)
        found = pods.map(lambda _: poll(source(x, FakeClock(), FOUR_QUERIES)), range(2))
        assert [len(ids(each)) for each in found] == [4, 4]


def test_a_wrong_token_is_refused_at_once_and_not_repeated(world: XSettings) -> None:
    wrong = replace(world, bearer_token="wrongwrong")
    with pytest.raises(RefusedError, match="401 Unauthorized") as told:
        poll(source(wrong, FakeClock()))
    assert "X_BEARER_TOKEN" in str(told.value)
    assert "wrongwrong" not in str(told.value)
    assert "\n" not in str(told.value)


def test_a_query_that_x_does_not_take_is_refused(world: XSettings) -> None:
    long = SearchSource(
        Search(60, 1024), [replace(settings(), track=("a" * 99,) * 5)], world, FakeClock()
    )
    with pytest.raises(RefusedError, match=r"400 Bad Request.*at most 512"):
        poll(long)


def test_an_x_that_is_not_there_ends_it_when_patience_does() -> None:
    nowhere = XSettings("token", f"http://127.0.0.1:{free_port()}")
    clock = FakeClock()
    searcher = Searcher(settings(), 512, nowhere, clock, patience=100)
    with pytest.raises(UnreachableError, match=r"has not served for 100 seconds.*refused") as told:
        list(searcher.newer(None))
    assert "\n" not in str(told.value)
    assert clock.waits[:2] == [0.25, 0.5]


def test_a_stop_ends_it_between_two_requests(world: XSettings) -> None:
    clock = FakeClock()
    clock.stop()
    assert list(source(world, clock).read({})) == []
