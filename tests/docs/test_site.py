"""The site is whole and needs nothing but itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree as ET

import pytest

from runjob.errors import MEANINGS
from runjob.flags import FLAGS
from runjob.subcommands import SUBCOMMANDS
from tests.docs.pages import DOCS

# What a browser asks for by itself, as against a link that a reader follows.
FETCHED = {
    "script": ("src",), "link": ("href",), "img": ("src", "srcset"), "iframe": ("src",),
    "source": ("src", "srcset"), "video": ("src", "poster"), "audio": ("src",), "embed": ("src",),
    "object": ("data",), "use": ("href", "xlink:href"), "image": ("href", "xlink:href"),
    "form": ("action",),
}  # fmt: skip


class Page(HTMLParser):
    """What a page fetches, links to and can be linked to by."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.anchors.add(value)
            if value and name in FETCHED.get(tag, ()):
                self.fetched.append(value)
            if value and tag == "a" and name == "href":
                self.links.append(value)


@pytest.fixture(scope="module")
def built(site: Path) -> dict[Path, Page]:
    return {path: Page(path.read_text("utf-8")) for path in sorted(site.rglob("*.html"))}


def test_every_page_is_built_and_can_be_reached(site: Path, built: dict[Path, Page]) -> None:
    named = {f"{path.stem}.html" for path in DOCS.glob("*.md")}
    assert named <= {path.name for path in built}
    linked = {urlsplit(link).path for link in built[site / "index.html"].links}
    assert named - {"index.html"} <= linked


def test_nothing_is_fetched_from_elsewhere(built: dict[Path, Page]) -> None:
    for path, page in built.items():
        for address in page.fetched:
            parts = urlsplit(address)
            assert (parts.scheme, parts.netloc) in (("", ""), ("data", "")), (path.name, address)


def addresses(text: str) -> Iterator[str]:
    yield from re.findall(r"""(?:url\(|@import\s)\s*["']?((?:https?:)?//[^"')\s]+)""", text)
    yield from re.findall(r"""(?:fetch\(|\.src\s*=|import\()\s*["'](https?:[^"']+)""", text)


def test_no_style_and_no_script_reaches_out(site: Path) -> None:
    files = [*site.rglob("*.css"), *site.rglob("*.js")]
    assert files
    for path in files:
        assert not list(addresses(path.read_text("utf-8"))), path.name


def test_every_link_within_the_site_leads_somewhere(built: dict[Path, Page]) -> None:
    for path, page in built.items():
        for address in (*page.links, *page.fetched):
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path.resolve()
            assert target.exists(), (path.name, address)
            if parts.fragment and target.suffix == ".html":
                known = next(each for where, each in built.items() if where.resolve() == target)
                assert unquote(parts.fragment) in known.anchors, (path.name, address)


def test_every_option_stands_on_the_launchers_page(site: Path) -> None:
    text = (site / "launcher.html").read_text("utf-8")
    told = set(re.findall(r">(--?[a-zA-Z][\w-]*)<", text))
    flags = [*FLAGS, *(flag for name in ("gc", "list", "show") for flag in SUBCOMMANDS[name].flags)]
    assert {f"--{name}" for flag in flags for name in flag.names} <= told
    assert {f"-{flag.short}" for flag in flags if flag.short} <= told


def test_every_exit_code_stands_on_the_page_of_endings(site: Path) -> None:
    text = unescape(re.sub(r"<[^>]+>", "", (site / "endings.html").read_text("utf-8")))
    for code, meaning in MEANINGS.items():
        assert re.search(
            rf"^{code.value}\s+{code.name.lower()}\s+{re.escape(meaning)}$", text, re.M
        )


def test_every_picture_is_well_formed_and_has_words_for_who_does_not_see_it(site: Path) -> None:
    found = 0
    for path in site.glob("*.html"):
        for text in re.findall(r'<svg xmlns="[^"]+" viewBox[^>]+role="img".*?</svg>',
                               path.read_text("utf-8"), re.S):  # fmt: skip
            picture = ET.fromstring(text)
            space = "{http://www.w3.org/2000/svg}"
            ids = (picture.get("aria-labelledby") or "").split()
            title, says = picture.find(f"{space}title"), picture.find(f"{space}desc")
            assert title is not None
            assert title.text
            assert says is not None
            assert says.text
            assert ids == [title.get("id"), says.get("id")]
            found += 1
    assert found >= 6


def test_no_address_of_a_machine_is_on_a_page(site: Path) -> None:
    for path in site.glob("*.html"):
        text = path.read_text("utf-8")
        assert str(DOCS.parent) not in text, path.name
        assert str(site) not in text, path.name
