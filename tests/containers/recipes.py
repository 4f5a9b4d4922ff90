"""What each image is made from, and the tag that follows from that."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]

# Debian's Python stands in for the official image, which needs a registry.
SUITE = "bookworm"
PYTHON_PACKAGES = ("ca-certificates", "python3-venv")


@dataclass(frozen=True)
class Recipe:
    """An image: its Dockerfile, what that copies of the checkout, and whose shell it stands on."""

    name: str
    dockerfile: str
    copied: tuple[str, ...]
    base: str

    @property
    def repository(self) -> str:
        return f"docker.io/runjob/{self.name}"


PRODUCER = Recipe("producer", "pythonapp/Dockerfile", ("pythonapp",), "python")
CONSUMER = Recipe("consumer", "application/Dockerfile", ("application",), "python")
SAMPLE = Recipe("sample", "application/sample.Dockerfile", ("application/run_app.sh",), "busybox")
AGENT = Recipe(
    "controlm-agent",
    "misc/agent/Dockerfile",
    ("misc/__init__.py", "misc/agent", "runjob"),
    "python",
)
RECIPES = (PRODUCER, CONSUMER, SAMPLE, AGENT)


def tag(recipe: Recipe, checkout: Path = CHECKOUT) -> str:
    """Return twelve digits that change when the Dockerfile, a copied file or the base does."""
    summed = hashlib.sha256(repr((recipe, SUITE, PYTHON_PACKAGES)).encode())
    for path in (checkout / ".dockerignore", checkout / recipe.dockerfile):
        summed.update(path.read_bytes())
    for path in _copied(recipe, checkout):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        summed.update(f"{path.relative_to(checkout)} {content}\n".encode())
    return summed.hexdigest()[:12]


def _copied(recipe: Recipe, checkout: Path) -> Iterator[Path]:
    """Yield the files that .dockerignore lets the Dockerfile see, in their order."""
    for named in recipe.copied:
        top = checkout / named
        for path in [top] if top.is_file() else sorted(top.rglob("*")):
            hidden = "__pycache__" in path.parts or path.suffix == ".secret"
            if path.is_file() and not hidden:
                yield path
