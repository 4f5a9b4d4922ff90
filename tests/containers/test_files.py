"""What can be told of the images without building them."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.containers.buildah import pip_settings
from tests.containers.recipes import CHECKOUT, PRODUCER, RECIPES, SAMPLE, Recipe, tag

PIPELINE = ("pythonapp/requirements.txt", "application/requirements.txt")
AGENT = "misc/agent/requirements.txt"


def pins(file: str) -> dict[str, Requirement]:
    """Read a file of pins: requirement by normal name."""
    lines = (CHECKOUT / file).read_text().splitlines()
    found = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(each.name): each for each in found}


def bounds(extra: str = "pipeline") -> dict[str, Requirement]:
    """Return what pyproject.toml asks for the launcher, and with it for an extra."""
    asked = [Requirement(line) for line in metadata.requires("runjob") or ()]
    return {
        canonicalize_name(each.name): each
        for each in asked
        if each.marker is None or each.marker.evaluate({"extra": extra})
    }


@pytest.mark.parametrize("file", [*PIPELINE, AGENT])
def test_every_pin_is_one_exact_version_within_our_bounds(file: str) -> None:
    for name, pin in pins(file).items():
        assert re.fullmatch(r"==[\w.]+", str(pin.specifier)), pin
        version = str(pin.specifier).removeprefix("==")
        if name in bounds():
            assert bounds()[name].specifier.contains(version), (pin, bounds()[name])
            assert bounds()[name].extras == pin.extras


def test_every_library_of_the_pipeline_is_in_an_image() -> None:
    assert bounds().keys() - {"kubernetes"} <= {name for file in PIPELINE for name in pins(file)}


def test_every_library_of_the_launcher_is_in_the_agent_s_image() -> None:
    assert bounds(extra="").keys() == {"kubernetes", "pyyaml"}
    assert bounds(extra="").keys() <= pins(AGENT).keys()


@pytest.mark.parametrize(
    ("one", "other", "known"),
    [(*PIPELINE, "confluent-kafka"), (PIPELINE[0], AGENT, "pyyaml"), (PIPELINE[1], AGENT, "six")],
)
def test_what_two_images_hold_they_hold_in_the_same_version(
    one: str, other: str, known: str
) -> None:
    first, second = pins(one), pins(other)
    shared = first.keys() & second.keys()
    assert known in shared
    assert {first[name].specifier == second[name].specifier for name in shared} == {True}


@pytest.fixture(params=RECIPES, ids=lambda recipe: str(recipe.name))
def dockerfile(request: pytest.FixtureRequest) -> str:
    recipe: Recipe = request.param
    return (CHECKOUT / recipe.dockerfile).read_text()


def test_an_image_s_user_is_a_number_and_not_root(dockerfile: str) -> None:
    """Kubernetes can tell by a number, and only by a number, that it is not root."""
    (user,) = re.findall(r"^USER (.*)$", dockerfile, re.MULTILINE)
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)


def test_a_signal_reaches_the_program_and_no_shell_before_it(dockerfile: str) -> None:
    (entry,) = re.findall(r"^(?:ENTRYPOINT|CMD) (.*)$", dockerfile, re.MULTILINE)
    assert re.fullmatch(r'\["[^"]+"(, "[^"]+")*\]', entry)


def test_every_stage_stands_on_the_base_that_is_pinned_by_its_full_version(
    dockerfile: str,
) -> None:
    (base,) = re.findall(r"^ARG BASE=(.*)$", dockerfile, re.MULTILINE)
    assert re.search(r":\d+\.\d+\.\d+(-|$)", base)
    stages = re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    assert set(stages) == {"${BASE}"}


def test_only_the_programs_are_sent_to_the_builder() -> None:
    lines = (CHECKOUT / ".dockerignore").read_text().splitlines()
    assert next(line for line in lines if not line.startswith("#")) == "*"
    assert {line for line in lines if line.startswith("!")} == {
        "!application", "!misc/__init__.py", "!misc/agent", "!pythonapp", "!runjob",
    }  # fmt: skip


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Make a small checkout with the files that the sample and the producer need."""
    for name in (".dockerignore", SAMPLE.dockerfile, *SAMPLE.copied, PRODUCER.dockerfile):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


@pytest.mark.parametrize("changed", [SAMPLE.copied[0], SAMPLE.dockerfile, ".dockerignore"])
def test_other_contents_make_another_tag(checkout: Path, changed: str) -> None:
    before = tag(SAMPLE, checkout)
    (checkout / changed).write_text("changed")
    assert tag(SAMPLE, checkout) != before


def test_what_the_builder_does_not_see_makes_no_other_tag(checkout: Path) -> None:
    before = tag(PRODUCER, checkout)
    (checkout / "pythonapp" / "__pycache__").mkdir()
    for unseen in ("pythonapp/__pycache__/cli.pyc", "pythonapp/x.secret", "application/cli.py"):
        (checkout / unseen).write_text("unseen")
    assert tag(PRODUCER, checkout) == before
    (checkout / "pythonapp" / "cli.py").write_text("seen")
    assert tag(PRODUCER, checkout) != before


def test_a_build_reaches_the_package_index_as_pip_does_here() -> None:
    listed = """:env:.index-url='https://index.example/simple'
:env:.no-color='1'
global.cert='bundle.pem'
global.index-url='https://other.example/simple'
install.timeout='7'
"""
    assert pip_settings(listed) == {
        "index-url": "https://index.example/simple",
        "cert": "bundle.pem",
    }
