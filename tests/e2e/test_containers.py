"""The images that we ship, built by a real builder and run as Jobs by the launcher."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cluster import controls, node
from tests.containers.buildah import built
from tests.containers.recipes import SAMPLE, Recipe
from tests.contract.launches import Launcher
from tests.contract.targets import RealTarget

# The first build on a machine takes some minutes.
pytestmark = pytest.mark.timeout(900)

Images = Callable[[Recipe], str]

# As strict as a cluster can ask: no root, no rights, nothing that can be written to.
LOCKED = (
    "--security", "restricted",
    "--set", "spec.template.spec.containers[0].securityContext.readOnlyRootFilesystem=true",
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
        "-j", name, "-i", image_of(SAMPLE), "-p", "Never", "-s", "none", *LOCKED, *given,
        "--exit-code", "container",
    )  # fmt: skip
    assert (run.code, run.lines) == (code, lines)
