"""A replay reads every line once, at its rate, and goes on where it stopped."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest

from pythonapp.errors import BadInputError
from pythonapp.posts import Bookmark, Found, Quiet
from pythonapp.replay import LINE_LIMIT, ReplaySource
from pythonapp.settings import Replay
from tests.pythonapp.scenes import FakeClock, line, post, settings


def source(path: Path | str, clock: FakeClock | None = None, rate: float = 0.0) -> ReplaySource:
    return ReplaySource(Replay(str(path), rate), [settings()], clock or FakeClock())


def written(folder: Path, *lines: str) -> Path:
    path = folder / "posts.jsonl"
    path.write_text("".join(lines), encoding="utf-8")
    return path


def payloads(source: ReplaySource, saved: dict[str, str] | None = None) -> list[object]:
    return [each.payload for each in source.read(saved or {}) if isinstance(each, Found)]


def test_every_line_is_a_post_and_bad_lines_are_told(tmp_path: Path) -> None:
    path = written(tmp_path, line(post(1)), "{broken\n", "\n", line(post(2)).rstrip())
    first, second, third = payloads(source(path))
    assert isinstance(first, dict)
    assert isinstance(third, dict)
    assert (first["data"]["text"], second) == ("my portfolio 1", b"{broken\n")
    assert third["data"]["text"] == "my portfolio 2"


def test_a_compressed_file_reads_like_a_plain_one(tmp_path: Path) -> None:
    path = tmp_path / "posts.jsonl.gz"
    path.write_bytes(gzip.compress(line(post(1)).encode()))
    assert len(payloads(source(path))) == 1


def test_standard_input_is_read_and_keeps_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(line(post(1)).encode())))
    (found,) = source("-").read({})
    assert isinstance(found, Found)
    assert found.bookmark is None


def test_a_page_of_a_search_is_its_posts(tmp_path: Path) -> None:
    one, two = post(1), post(2)
    page = {"data": [one["data"], two["data"]], "includes": one["includes"]}
    page["includes"]["users"] += two["includes"]["users"]
    found = [
        each for each in source(written(tmp_path, line(page))).read({}) if isinstance(each, Found)
    ]
    assert [each.payload["data"]["text"] for each in found if isinstance(each.payload, dict)] == [
        "my portfolio 1",
        "my portfolio 2",
    ]
    # The line is done only with its last post.
    assert [each.bookmark and each.bookmark.position[-2:] for each in found] == ["0}", "1}"]


def test_it_goes_on_after_the_line_that_was_done(tmp_path: Path) -> None:
    path = written(tmp_path, *(line(post(number)) for number in range(10)))
    items = list(source(path).read({}))
    third = items[2]
    assert isinstance(third, Found)
    assert third.bookmark is not None
    rest = payloads(source(path), {third.bookmark.name: third.bookmark.position})
    assert rest == [each.payload for each in items[3:] if isinstance(each, Found)]


def test_a_file_that_was_read_to_its_end_begins_anew(tmp_path: Path) -> None:
    path = written(tmp_path, line(post(1)))
    end = list(source(path).read({}))[-1]
    assert isinstance(end, Bookmark)
    assert len(payloads(source(path), {end.name: end.position})) == 1


@pytest.mark.parametrize(
    "saved", ['{"file": "other.jsonl", "line": 3}', "", "x", "[]", '{"file": "posts.jsonl"}']
)
def test_a_place_in_another_file_counts_for_nothing(tmp_path: Path, saved: str) -> None:
    path = written(tmp_path, line(post(1)))
    assert len(payloads(source(path), {"ctne-replay": saved})) == 1


def test_the_rate_is_kept_without_falling_behind(tmp_path: Path) -> None:
    path = written(tmp_path, *(line(post(number)) for number in range(11)))
    clock = FakeClock()
    begun = clock.now()
    assert len(payloads(source(path, clock, rate=2.0))) == 11
    assert clock.now() - begun == pytest.approx(5.0)


def test_a_slow_rate_is_not_taken_for_the_end(tmp_path: Path) -> None:
    path = written(tmp_path, line(post(1)), line(post(2)))
    items = list(source(path, rate=0.1).read({}))
    assert Quiet.TROUBLE in items
    assert Quiet.NOTHING_NEW not in items


def test_it_can_be_stopped_between_two_lines(tmp_path: Path) -> None:
    path = written(tmp_path, *(line(post(number)) for number in range(10)))
    clock = FakeClock()
    reading = source(path, clock).read({})
    next(reading)
    clock.stop()
    assert list(reading) == []


def test_a_line_of_10_mb_is_one_bad_line(tmp_path: Path) -> None:
    path = written(tmp_path, "x" * 10_000_000 + "\n", line(post(1)))
    first, second = payloads(source(path))
    assert isinstance(first, bytes)
    assert len(first) == LINE_LIMIT
    assert isinstance(second, dict)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(None, id="missing"),
        pytest.param(b"no gzip", id="no gzip"),
        pytest.param(gzip.compress(b"a\n" * 1000)[:-9], id="cut off"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "posts.jsonl.gz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadInputError, match="cannot be read") as told:
        payloads(source(path))
    assert "\n" not in str(told.value)
