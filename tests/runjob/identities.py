"""Launches as their identity is made of them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from runjob.identity import Signature, identity
from runjob.request import JobRequest

JOB: dict[str, Any] = {
    "metadata": {"name": "hello", "namespace": "here"},
    "spec": {"backoffLimit": 1},
}

names = st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,8}[a-z0-9])?", fullmatch=True)
run_ids = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,8}[A-Za-z0-9])?", fullmatch=True)
words = st.text(max_size=6)


def request(name: str = "hello", namespace: str = "here", generated: str = "") -> JobRequest:
    return JobRequest(name, namespace, JOB, generated=generated)


def mine(**more: Any) -> Signature:
    values = {"launch": "l1", "identity": "here/hello/r", "bound": True, "content": "c", **more}
    return Signature(**values)


launches = st.tuples(
    names,  # of the Job, or the start of one
    names.filter(lambda name: "." not in name),  # of the namespace
    st.booleans(),
    st.one_of(st.tuples(run_ids), st.tuples(words, words), st.just(())),
)


def identity_of(launch: tuple[str, str, bool, tuple[str, ...]]) -> str:
    name, namespace, generated, run = launch
    made = request("x" if generated else name, namespace, name if generated else "")
    environment = {}
    if len(run) == 2:
        environment = {"RUNJOB_ORDER_ID": run[0], "RUNJOB_RUN_COUNT": run[1]}
    return identity(made, run[0] if len(run) == 1 else None, environment)[0]
