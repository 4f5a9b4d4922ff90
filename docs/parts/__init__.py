"""What the site makes from the code while it is built: tables, help texts, pictures.

On a code host such a part shows as a block whose text says what stands here on the site.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import Directive, directives
from docutils.statemachine import StringList

from docs.parts import lake, launcher, layers, pipeline, schema, usage, workflow
from runjob.guide.schema import RESULT

ROOT = Path(__file__).resolve().parents[2]


class Part(Directive):
    """A block that the code fills; its own text is for readers of the plain file."""

    has_content = True
    optional_arguments = 1
    final_argument_whitespace = True

    @property
    def asked(self) -> str:
        return self.arguments[0] if self.arguments else ""


class Table(Part):
    """A table, by name."""

    made: ClassVar[Mapping[str, Callable[[], str]]] = {
        "options": launcher.options,
        "options of gc": lambda: launcher.options_of("gc"),
        "options of list": lambda: launcher.options_of("list"),
        "options of show": lambda: launcher.options_of("show"),
        "exit codes": launcher.exits,
        "exit codes of the pipeline": pipeline.exits,
        "result": lambda: schema.fields(RESULT),
        "post": lambda: schema.table(ROOT / "pythonapp" / "post.schema.json"),
        "lake": lambda: lake.table(ROOT / "application" / "sql"),
        "modules": lambda: layers.modules(ROOT, "runjob"),
    }

    def run(self) -> list[nodes.Node]:
        if self.asked not in self.made:
            raise self.error(f"no table {self.asked!r}; there are {', '.join(self.made)}")
        lines = StringList(self.made[self.asked]().splitlines(), source="docs/parts")
        inside = nodes.container(classes=["made"])
        self.state.nested_parse(lines, self.content_offset, inside)
        return [inside]


class Usage(Part):
    """What a command prints when asked for help."""

    def run(self) -> list[nodes.Node]:
        text = usage.told(self.asked, sys.executable, ROOT)
        return [nodes.literal_block(text, text, language="text")]


class Drawing(Part):
    """A picture that follows the page's colours."""

    option_spec: ClassVar[dict[str, Any]] = {"narrow": directives.flag}
    made: ClassVar[Mapping[str, Callable[[], str]]] = {
        "launcher": lambda: layers.drawn(ROOT, "runjob"),
        "producer": lambda: layers.drawn(ROOT, "pythonapp"),
        "application": lambda: layers.drawn(ROOT, "application"),
        "workflow": lambda: workflow.drawn(ROOT / "ctm" / "cust360.json"),
        "pipeline": lambda: pipeline.drawn(ROOT),
        "lake": lambda: lake.drawn(ROOT / "application" / "sql"),
    }

    def run(self) -> list[nodes.Node]:
        if self.asked not in self.made:
            raise self.error(f"no drawing {self.asked!r}; there are {', '.join(self.made)}")
        kind = "drawing narrow" if "narrow" in self.options else "drawing"
        # What scrolls must be reachable without a mouse.
        html = f'<div class="{kind}" tabindex="0">{self.made[self.asked]()}</div>'
        return [nodes.raw("", html, format="html")]


def _readable(_app: Any, _page: str, _template: str, context: dict[str, Any], _tree: Any) -> None:
    """Say what the theme leaves out for who reads by ear or by keyboard."""
    for name, said, more in (
        ("furo_navigation_tree", 'role="heading"', ' aria-level="2"'),
        ("body", '<div class="highlight"><pre', ' tabindex="0"'),
    ):
        context[name] = (context.get(name) or "").replace(said, said + more)


def setup(app: Any) -> dict[str, Any]:
    """Tell Sphinx of the three kinds of parts, and that they are made anew each time."""
    for name, part in (("table-of", Table), ("usage", Usage), ("drawing", Drawing)):
        app.add_directive(name, part)
    app.connect("html-page-context", _readable, priority=900)  # behind the theme's own
    # The code changes while the pages do not: none may be taken from an earlier build.
    app.connect("env-get-outdated", lambda _app, env, *_: list(env.found_docs))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
