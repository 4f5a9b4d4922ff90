"""The images that we ship, built by a real builder and run as Jobs by the launcher."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml

from misc.engines.x_world import EPOCH_MS
from tests.cluster import controls, node
from tests.cluster.network import NAMESPACE
from tests.containers.buildah import built
from tests.containers.recipes import CHECKOUT, CONSUMER, PRODUCER, SAMPLE, Recipe
from tests.contract.launches import Launcher, Run, Starter
from tests.contract.targets import RealTarget

# The first build on a machine takes some minutes.
pytestmark = pytest.mark.timeout(900)

Images = Callable[[Recipe], str]
Options = tuple[str, ...]

QUADRANTS = ("ctne", "ctnw", "ctse", "ctsw")
POSTS = 25
SECRETS = ("SNOWFLAKE_PASSWORD", "X_BEARER_TOKEN")
PATIENCE = 300.0


def fields(values: Mapping[str, object]) -> Options:
    """Return the options that set fields of the Job."""
    return tuple(
        word for path, value in values.items() for word in ("--set", f"{path}={json.dumps(value)}")
    )


# As strict as a cluster can ask: no root, no rights, nothing but /tmp that can be written to.
POD, CONTAINER = "spec.template.spec", "spec.template.spec.containers[0]"
STRICT = (
    "-p", "Never", "-s", "none", "--security", "restricted",
    *fields({f"{CONTAINER}.securityContext.readOnlyRootFilesystem": True}),
)  # fmt: skip


@pytest.fixture
def image_of(breakable: RealTarget) -> Images:
    """Build images and give them to the node; return their names."""
    layout = controls.here()
    assert breakable.is_ours

    def on_the_node(recipe: Recipe) -> str:
        image = built(layout, recipe)
        if not node.has_image(layout, image.name):
            node.import_image(layout, image.file)
        return image.name

    return on_the_node


@pytest.mark.parametrize(
    ("settings", "code", "lines"),
    [
        pytest.param({"LOOPCTR": "3"}, 0, ["Iteration 1 of 3", "Iteration 2 of 3",
                     "Iteration 3 of 3"], id="counts"),
        pytest.param({"LOOPCTR": "1", "XCODE": "3"}, 3, ["Iteration 1 of 1"],
                     id="ends with the code that is asked for"),
        pytest.param({"LOOPCTR": "ten"}, 2, ["run_app.sh: error: LOOPCTR is 'ten', and must be "
                     "at most nine digits"], id="refuses what is no number"),
    ],
)  # fmt: skip
def test_the_counting_sample(
    image_of: Images,
    launch: Launcher,
    name: str,
    settings: dict[str, str],
    code: int,
    lines: list[str],
) -> None:
    given = [
        word
        for pair in {"STIME": "0", **settings}.items()
        for word in ("-e", pair[0], "-v", pair[1])
    ]
    run = launch(
        "-j", name, "-i", image_of(SAMPLE), *STRICT, *given, "--exit-code", "container"
    )  # fmt: skip
    assert (run.code, run.lines) == (code, lines)


def post(number: int, point: tuple[float, float], text: str) -> dict[str, Any]:
    """Make a post of this hour as X sends it, written at a point."""
    moment = time.time() - 3600 + number
    lon, lat = point
    written = datetime.fromtimestamp(moment, timezone.utc).isoformat(timespec="milliseconds")
    author = {"id": str(100 + number), "username": f"author{number}", "name": f"Author {number}"}
    place = {
        "id": f"place{number}",
        "full_name": "Somewhere, CT",
        "place_type": "city",
        "country_code": "US",
        "geo": {"type": "Feature", "bbox": [lon - 0.01, lat - 0.01, lon + 0.01, lat + 0.01]},
    }
    data = {
        "id": str((int(moment * 1000) - EPOCH_MS << 22) | number),
        "text": text,
        "author_id": author["id"],
        "created_at": written.replace("+00:00", "Z"),
        "lang": "en",
        "geo": {
            "place_id": place["id"],
            "coordinates": {"type": "Point", "coordinates": [lon, lat]},
        },
    }
    return {"data": data, "includes": {"users": [author], "places": [place]}}


def middle(quadrant: str) -> tuple[float, float]:
    box = yaml.safe_load((CHECKOUT / "pythonapp" / f"{quadrant}.yaml").read_text())
    sides = [box[f"{end}{side}"] for side in ("Longitude", "Latitude") for end in ("bottom", "top")]
    return (sides[0] + sides[1]) / 2, (sides[2] + sides[3]) / 2


@pytest.fixture
def posts(tmp_path: Path) -> Path:
    """Write the posts of X: some of each quadrant, some of elsewhere, some about other things."""
    boston, money, other = (-71.06, 42.36), "my retirement portfolio, again", "what a sunset"
    written = [(middle(each), money) for each in QUADRANTS for _ in range(POSTS)]
    written += [(boston, money)] * 5 + [(middle(each), other) for each in QUADRANTS]
    file = tmp_path / "posts.jsonl"
    lines = [json.dumps(post(number, *each)) for number, each in enumerate(written)]
    file.write_text("\n".join(lines) + "\n")
    return file


@pytest.fixture
def engines(posts: Path) -> Iterator[Mapping[str, str]]:
    """Run the embedded engines on the node's own network; return their settings."""
    tell = "import json, os, sys; print(json.dumps(dict(os.environ)), flush=True); sys.stdin.read()"
    command = ["ip", "netns", "exec", NAMESPACE, sys.executable, "-m", "misc.engines"]
    command += ["--posts", str(posts), "--rate", "1000000", "--", sys.executable, "-c", tell]
    with subprocess.Popen(
        command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        told = json.loads(running.stdout.readline())
        yield {name: value for name, value in told.items() if os.environ.get(name) != value}
        # The command reads this and ends, and the engines with it.
        running.stdin.close()


@pytest.fixture
def pod(target: RealTarget, name: str, engines: Mapping[str, str]) -> Options:
    """Return the options of a pod that reaches the engines: secrets as files, the rest by name."""
    secrets = {f"{each.lower()}.secret": engines[each] for each in SECRETS}
    target.api.create("secrets", {"metadata": {"name": f"{name}-s"}, "stringData": secrets})
    plain = {each: value for each, value in engines.items() if each not in SECRETS}
    target.api.create("configmaps", {"metadata": {"name": f"{name}-c"}, "data": plain})
    volumes: dict[str, object] = {
        f"{POD}.hostNetwork": True,
        f"{POD}.volumes": [
            {"name": "secrets", "secret": {"secretName": f"{name}-s"}},
            {"name": "tmp", "emptyDir": {}},
        ],
        f"{CONTAINER}.volumeMounts": [
            {"name": "secrets", "mountPath": "/etc/runjob/secrets", "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},
        ],
    }
    return *STRICT, "--env-from", f"configmap/{name}-c", *fields(volumes)


COUNT = """
from os import environ
from application.settings import snowflake_settings
from application.warehouse import Warehouse
with Warehouse(snowflake_settings(environ)) as lake:
    for row in lake.run(
        "select QUADRANT, count(*), count(distinct TWEET_ID) from CUST360 group by 1 order by 1"
    ):
        print(*row)
"""


def python(*words: str) -> Options:
    """Return the options that run another program of the image than its own."""
    return tuple(each for word in ("python3", *words) for each in ("-k", word))


def ended_well(run: Run) -> Run:
    assert run.code == 0, (run.text, run.err)
    return run


def test_the_pipeline_runs_as_jobs(
    image_of: Images, start: Starter, launch: Launcher, name: str, pod: Options
) -> None:
    """Four producers and two consumers; every post of a quadrant is in the lake once."""
    producer, consumer = image_of(PRODUCER), image_of(CONSUMER)
    ended_well(
        launch("-j", f"{name}-lake", "-i", consumer, *pod, *python("-m", "application.lake"))
    )
    producers = [
        start(
            "-j", f"{name}-{each}", "-i", producer, *pod, "-e", "BTCONF", "-v", f"{each}.yaml",
            "-a", "--until-idle 2",
        )
        for each in QUADRANTS
    ]  # fmt: skip
    for each in producers:
        assert f" {POSTS} accepted, 0 rejected; " in ended_well(each.end(PATIENCE)).lines[-1]
    consumers = [
        start("-j", f"{name}-{number}", "-i", consumer, *pod, "-a", "--until-idle 5")
        for number in (1, 2)
    ]
    for each in consumers:
        ended_well(each.end(PATIENCE))
    counted = ended_well(launch("-j", f"{name}-n", "-i", consumer, *pod, *python("-c", COUNT)))
    assert counted.lines == [f"{each} {POSTS} {POSTS}" for each in QUADRANTS]


def test_a_producer_that_is_stopped_accounts_for_its_posts(
    image_of: Images, start: Starter, name: str, pod: Options
) -> None:
    """The signal reaches Python in the container, and what it says on the way out is read."""
    started = start(
        "-j", name, "-i", image_of(PRODUCER), *pod, "-e", "BTCONF", "-v", "ctne.yaml"
    )  # fmt: skip
    started.until(b"messages delivered")
    started.signal(signal.SIGTERM)
    run = started.end(PATIENCE)
    assert run.code == 8
    assert f" {POSTS} messages delivered, 0 not delivered" in run.lines[-1]
