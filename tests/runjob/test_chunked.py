"""A chunked body reads the same in pieces of any size."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runjob.chunked import Dechunker


def encoded(chunks: list[bytes]) -> bytes:
    body = b"".join(b"%x;note=1\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return body + b"0\r\n\r\n"


@given(st.lists(st.binary(min_size=1, max_size=50)), st.integers(1, 40))
def test_the_pieces_do_not_matter(chunks: list[bytes], piece: int) -> None:
    body, dechunker = encoded(chunks), Dechunker()
    got = b"".join(dechunker.feed(body[at : at + piece]) for at in range(0, len(body), piece))
    assert got == b"".join(chunks)
    assert dechunker.done


@given(st.lists(st.binary(min_size=1, max_size=50)), st.data())
def test_a_body_that_breaks_off_is_not_done(chunks: list[bytes], data: st.DataObject) -> None:
    body = encoded(chunks)
    whole = b"".join(chunks)
    dechunker = Dechunker()
    got = dechunker.feed(body[: data.draw(st.integers(0, len(body) - 5))])
    assert whole.startswith(got)
    assert not dechunker.done


def test_an_end_that_comes_alone_brings_nothing() -> None:
    dechunker = Dechunker()
    assert [dechunker.feed(b"2\r\nab\r"), dechunker.feed(b"\n0\r\n")] == [b"ab", b""]
    assert dechunker.done


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"zz\r\n", id="no number"),
        pytest.param(b"a" * 70, id="no line end"),
    ],
)
def test_what_is_no_chunked_body_is_an_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"invalid literal|no chunk size"):
        Dechunker().feed(body)
