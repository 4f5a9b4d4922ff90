"""One headless Chromium for all tests, and a page of the report in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Dialog, Page, sync_playwright

from application.report import shaping
from application.report.page import render
from application.report.workflow import workflow
from application.synth.score import Score
from tests.application.report_rows import BEGAN, Post, found, posts, record
from tests.browser.find import ARGUMENTS, NoBrowserError, chromium


@dataclass(frozen=True)
class Opened:
    """The report in a browser: what it was made of, and what the browser had to say about it."""

    page: Page
    posts: list[Post]
    troubles: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    try:
        path = chromium()
    except NoBrowserError as error:
        pytest.fail(str(error), pytrace=False)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture(scope="session")
def made() -> list[Post]:
    return posts()


@pytest.fixture(scope="session")
def file(made: list[Post], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the report that all tests look at."""
    dead = [("not JSON: <i>", 3, BEGAN, "<script>alert(3)</script>")]
    flow = workflow(record(), {"Produce": "Job controlm/produce succeeded."})
    page = shaping.page(found(made, dead), flow, [Score("customer", 10, 8, 6, 3)])
    path = tmp_path_factory.mktemp("report") / "page.html"
    path.write_bytes(render(page))
    return path


@pytest.fixture
def opened(
    browser: Browser, file: Path, made: list[Post], request: pytest.FixtureRequest
) -> Iterator[Opened]:
    """Open the report in a context of its own; a parameter gives the context's options."""
    options: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}}
    options |= getattr(request, "param", {})
    context = browser.new_context(**options)
    page = context.new_page()
    report = Opened(page, made)
    page.on("console", lambda message: report.troubles.append(message.text))
    page.on("pageerror", lambda error: report.troubles.append(str(error)))

    def dismiss(dialog: Dialog) -> None:
        report.troubles.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", dismiss)
    page.on("request", lambda asked: report.requests.append(asked.url))
    page.goto(file.as_uri())
    yield report
    context.close()
