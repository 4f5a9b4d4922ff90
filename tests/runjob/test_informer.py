"""A watch goes on whatever the API answers, and storms it with nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pytest

from runjob.errors import ApiError
from runjob.informer import Informer, Query, Watch, watching
from runjob.messages import Listed, Message, Trouble
from runjob.observed import job_view
from runjob.request import JOB, Body, Kind
from runjob.retry import Backoff

EXPIRED = ApiError(410, "too old resource version", reason="Expired")
QUERY = Query(JOB, "here", {}, job_view, "7")


class Server:
    """Knows no version to watch from, and with lists no objects either."""

    def __init__(self, *, lists: bool) -> None:
        self._lists = lists
        self.requests = 0

    def _count(self) -> None:
        self.requests += 1
        if self.requests > 20:
            pytest.fail("the API is asked again and again, without a pause")

    def watch(self, _kind: Kind, _place: str, _query: Mapping[str, str], _version: str) -> Watch:
        self._count()
        raise EXPIRED

    def list(self, _kind: Kind, _place: str, _query: Mapping[str, str]) -> tuple[list[Body], str]:
        self._count()
        if not self._lists:
            raise EXPIRED
        return [], "8"


def paced(pause: Callable[[], None]) -> Backoff:
    """Return waits that take no time, and call pause for each."""

    class Paced(Backoff):
        def waits(self) -> Iterator[float]:
            while True:
                pause()
                yield 0.0

    return Paced()


@pytest.mark.parametrize("lists", [True, False])
def test_an_api_that_knows_no_version_is_not_stormed(lists: bool) -> None:
    told: list[Message] = []
    server = Server(lists=lists)
    left = iter(range(4))

    def pause() -> None:
        if next(left, None) is None:
            informer.stop()

    informer = Informer(server, QUERY, told.append, paced(pause))
    informer.run()
    assert server.requests == (9 if lists else 5)
    if lists:
        assert told == [Listed("Job", frozenset())] * 4
    else:
        # Else a launch would wait for ever and know of nothing to wait for.
        assert [type(each) for each in told] == [Trouble] * 4
        assert told[0] == Trouble(EXPIRED, watching(JOB))
