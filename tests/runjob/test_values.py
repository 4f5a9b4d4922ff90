"""The values of options: sizes and times as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runjob.values import as_size, seconds, size


@pytest.mark.parametrize(
    ("text", "total", "shown"),
    [
        ("1000", 1000, "1K"),
        ("4097", 4097, "4097"),
        ("500k", 500_000, "500K"),
        ("10M", 10_000_000, "10M"),
        ("64Ki", 65_536, "64Ki"),
        ("1024Mi", 1 << 30, "1Gi"),
    ],
)
def test_a_size_is_read_as_kubernetes_reads_it(text: str, total: int, shown: str) -> None:
    assert size(text) == total
    assert as_size(total) == shown


@pytest.mark.parametrize("text", ["", "0", "999", "1", "10m", "1ki", "-1K", "1.5M", "M", "1 M"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a size of at least 1K"):
        size(text)


@pytest.mark.parametrize(
    ("text", "total"),
    [("90", 90), ("90s", 90), ("10m", 600), ("2h", 7200), ("1h30m", 5400), ("1d1s", 86401)],
)
def test_a_time_is_read(text: str, total: int) -> None:
    assert seconds(text) == total


@pytest.mark.parametrize("text", ["0", "0s", "", "1.5h", "h", "1w", "-1", "1h 30m", "999999d"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a time such as"):
        seconds(text)


@given(st.integers(1, 2**31 - 1))
def test_every_time_reads_the_same_in_any_unit(total: int) -> None:
    minutes, rest = divmod(total, 60)
    if minutes < 10**6:
        assert seconds(f"{minutes}m{rest}s") == total
    if total < 10**9:
        assert seconds(str(total)) == total
