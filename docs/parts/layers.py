"""The layers of a package, as the import contracts of pyproject.toml have them."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from docs.parts.graph import BOX, LETTER, MARGIN, PAD, Box, framed, rectangle
from docs.parts.markdown import code, table

if sys.version_info < (3, 11):
    import tomli as tomllib  # import-linter brings it
else:
    import tomllib

WIDTH, GAP, INSET = 860, 8, 14


def read(root: Path, package: str) -> list[list[str]]:
    """Return the modules of each layer, the highest first."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    for contract in project["tool"]["importlinter"]["contracts"]:
        if contract["type"] == "layers" and contract["containers"] == [package]:
            return [re.split(r"\s*[|:]\s*", layer.strip("() ")) for layer in contract["layers"]]
    raise ValueError(f"no layers of {package} in pyproject.toml")


def sentence(root: Path, package: str, module: str) -> str:
    """Return what a module says that it is: the first sentence of its docstring."""
    path = root / package / f"{module.strip('()')}.py"
    if not path.exists():
        path = root / package / module.strip("()") / "__init__.py"
    if not path.exists():
        return ""
    said = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    return " ".join(said.split("\n\n")[0].split())


def modules(root: Path, package: str) -> str:
    """Tell each module with its sentence, the highest layer first."""
    return table(
        ("module", "what it is"),
        (
            (code(name), sentence(root, package, name).replace("*", r"\*").replace("<", r"\<"))
            for layer in read(root, package)
            for name in layer
        ),
    )


def drawn(root: Path, package: str) -> str:
    """Draw a band a layer; who stands above may import who stands below."""
    body: list[str] = []
    y: float = MARGIN
    layers = read(root, package)
    for layer in layers:
        rows = list(_rows(layer))
        height = len(rows) * (BOX + GAP) + GAP
        body.append(
            f'<rect class="box store" x="{MARGIN}" y="{y:.1f}" width="{WIDTH - 2 * MARGIN}" '
            f'height="{height}" rx="8" fill-opacity="0.4"/>'
        )
        for number, row in enumerate(rows):
            x: float = MARGIN + INSET
            for name in row:
                box = Box(name, sentence(root, package, name))
                body.append(rectangle(box, x, y + GAP + number * (BOX + GAP), _wide(name)))
                x += _wide(name) + GAP
        y += height + GAP
    x = WIDTH - MARGIN - INSET
    body.append(f'<path class="arrow" d="M{x} {MARGIN + 16} V{y - 24:.1f}"/>')
    body.append(f'<path class="head" d="M{x} {y - 16:.1f} l-4 -8 h8 z"/>')
    says = f"{len(layers)} layers; imports go downward only. From top to bottom: " + "; ".join(
        ", ".join(layer) for layer in layers
    )
    return framed(body, WIDTH, y + MARGIN - GAP, f"The layers of {package}", f"{says}.")


def _wide(name: str) -> float:
    return len(name) * LETTER + 2 * PAD


def _rows(layer: list[str]) -> Iterator[list[str]]:
    """Break a layer into rows that fit beside the arrow."""
    row: list[str] = []
    used = 0.0
    for name in layer:
        if row and used + _wide(name) > WIDTH - 2 * MARGIN - 3 * INSET:
            yield row
            row, used = [], 0.0
        row.append(name)
        used += _wide(name) + GAP
    yield row
