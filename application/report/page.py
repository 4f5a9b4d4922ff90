"""The page's text: template, style and script in one file that no request leaves."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from application.report import outline, timescale
from application.report.data import Page

_HERE = Path(__file__).parent
# HTML ends a script at `</script`, begins a comment in it at `<!--`; JavaScript before 2019 took
# U+2028 and U+2029 for ends of lines.
_ESCAPES = {ord(each): f"\\u{ord(each):04x}" for each in "<>&\u2028\u2029"}


def render(page: Page) -> bytes:
    """Return the page as UTF-8."""
    style = (_HERE / "page.css").read_text(encoding="utf-8")
    script = (_HERE / "page.js").read_text(encoding="utf-8")
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["moment"] = timescale.moment
    environment.filters["second"] = timescale.second
    environment.filters["day"] = timescale.day
    environment.filters["number"] = lambda value: f"{value or 0:,}"
    environment.filters["share"] = lambda value: "—" if value is None else f"{100 * value:.1f} %"
    text = environment.get_template("template.html").render(
        page=page,
        style=Markup(style),
        script=Markup(script),
        policy=policy(style, script),
        data=embedded(page.data),
        outline=outline,
        cities=[(name, *outline.project(lon, lat)) for name, lon, lat in outline.CITIES],
        middle=outline.project(outline.MIDDLE_LON, outline.MIDDLE_LAT),
    )
    # Half a character cannot be written; the lake has none, a rehearsal's log may.
    return text.encode("utf-8", errors="replace")


def policy(style: str, script: str) -> str:
    """Return the Content-Security-Policy: this style, this script, and nothing from anywhere."""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def embedded(data: Mapping[str, Any]) -> Markup:
    """Return JSON that may stand in a script element, whatever its texts hold."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.translate(_ESCAPES))


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
