"""The report in a real browser: it works, by mouse and keyboard, on any screen, and stays alone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from application.report import queries, shaping
from application.report.data import Found, Source, Span
from application.report.page import render
from tests.application.report_rows import BEGAN, HOSTILE, Post, found
from tests.browser.conftest import Opened

SIZES = {"phone": (390, 844), "tablet": (820, 1180), "desktop": (1440, 900)}


def screen(size: str, scheme: str = "light") -> Any:
    width, height = SIZES[size]
    options = {"viewport": {"width": width, "height": height}, "color_scheme": scheme}
    return pytest.param(options, id=f"{size} {scheme}")


ALL = [screen(size, scheme) for size in SIZES for scheme in ("light", "dark")]


def number(page: Page, name: str) -> int:
    return int(re.sub(r"\D", "", page.locator(f"[data-number={name}]").inner_text()))


def agrees(opened: Opened, fits: Callable[[Post], bool]) -> None:
    """Hold the page's numbers, map and lists against the posts that fit."""
    page, fitting = opened.page, [post for post in opened.posts if fits(post)]
    assert 0 < len(fitting) < len(opened.posts), "a filter that filters"
    expect(page.locator("#count")).to_contain_text(f"{len(fitting)} of {len(opened.posts)} posts")
    assert number(page, "posts") == len(fitting)
    matched = sum(post.category in shaping.MATCHED for post in fitting)
    expect(page.locator("[data-of=matched]")).to_have_text(
        f"{matched} post{'' if matched == 1 else 's'}"
    )
    placed = sum(post.lon is not None for post in fitting)
    expect(page.locator("#dots .dot:not(.away)")).to_have_count(placed)
    for kind in queries.KINDS:
        count = sum(kind in post.kinds for post in fitting)
        assert number(page, kind) == count
        expect(page.locator(f"[data-list={kind}] > li")).to_have_count(min(count, 6))


def tick(page: Page, name: str, value: str) -> None:
    page.locator(f"input[name={name}][value={value}]").check()


def test_it_renders_without_a_word_of_the_browser_and_asks_for_nothing(
    opened: Opened, file: Path
) -> None:
    expect(opened.page.locator("#count")).to_have_text(f"All {len(opened.posts)} posts.")
    expect(opened.page.locator("#breakdown tbody tr")).to_have_count(4)
    opened.page.locator("#dots .dot").last.dispatch_event("click")
    expect(opened.page.locator("#post blockquote")).to_be_visible()
    assert opened.troubles == []
    assert opened.requests == [file.as_uri()]


def test_no_request_can_leave_even_where_somebody_tries(opened: Opened) -> None:
    refused = opened.page.evaluate(
        "() => fetch('https://example.com/').then(() => 'went out', () => 'refused')"
    )
    assert refused == "refused"
    opened.page.evaluate(
        "() => document.body.append(Object.assign(new Image(), {src: 'https://example.com/i.png'}))"
    )
    opened.page.evaluate(
        "() => document.body.append(Object.assign(document.createElement('script'),"
        " {textContent: 'window.ran = true'}))"
    )
    assert opened.page.evaluate("() => window.ran") is None
    assert any("Content Security Policy" in each for each in opened.troubles)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("quadrant", "ctsw"), ("quadrant", "ctne"), ("lang", "es"), ("category", "customer"),
        ("category", "unknown"), ("feeling", "negative"),
    ],
)  # fmt: skip
def test_a_filter_leaves_what_fits(opened: Opened, name: str, value: str) -> None:
    place = shaping.DIMENSIONS.index(name)
    tick(opened.page, name, value)
    agrees(opened, lambda post: post.dimensions[place] == value)


def test_filters_of_one_kind_add_up_and_those_of_several_narrow(opened: Opened) -> None:
    for name, value in [("quadrant", "ctsw"), ("quadrant", "ctne"), ("category", "customer"),
                        ("feeling", "positive")]:  # fmt: skip
        tick(opened.page, name, value)
    agrees(
        opened,
        lambda post: (
            post.quadrant in ("ctsw", "ctne")
            and (post.category, post.feeling) == ("customer", "positive")
        ),
    )


def test_a_filters_own_counts_tell_what_ticking_it_would_give(opened: Opened) -> None:
    tick(opened.page, "quadrant", "ctsw")
    told = opened.page.locator("label:has(input[name=category][value=customer]) .told")
    count = sum((post.quadrant, post.category) == ("ctsw", "customer") for post in opened.posts)
    expect(told).to_have_text(str(count))
    other = opened.page.locator("label:has(input[name=quadrant][value=ctne]) .told")
    expect(other).to_have_text(str(sum(post.quadrant == "ctne" for post in opened.posts)))


def test_clearing_brings_everything_back(opened: Opened) -> None:
    tick(opened.page, "feeling", "neutral")
    opened.page.locator("#to").fill("3")
    opened.page.locator("#reset").click()
    expect(opened.page.locator("#count")).to_have_text(f"All {len(opened.posts)} posts.")
    assert opened.page.locator("#to").input_value() == opened.page.locator("#to").get_attribute(
        "max"
    )


def slice_of(opened: Opened) -> Callable[[Post], int]:
    scale = json.loads(opened.page.locator("#data").inner_text())["scale"]

    def told(post: Post) -> int:
        began = (post.at - type(post.at)(1970, 1, 1)).total_seconds() * 1000
        return int((began - scale["start"]) // scale["step"])

    return told


def test_the_keyboard_alone_reaches_the_filters_and_works_them(opened: Opened) -> None:
    page = opened.page
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the numbers")).to_be_focused()
    seen = []
    for _ in range(60):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            "() => [document.activeElement.id, document.activeElement.name,"
            " document.activeElement.value,"
            " getComputedStyle(document.activeElement).outlineStyle]"
        )
        seen.append(focused)
        if focused[1:3] == ["lang", "fr"]:
            page.keyboard.press("Space")
        if focused[0] == "from":
            for _ in range(5):
                page.keyboard.press("ArrowRight")
        if focused[0] == "to":
            page.keyboard.press("ArrowLeft")
            break
    assert [each[0] for each in seen if each[0] in ("from", "to")] == ["from", "to"]
    assert all(each[3] != "none" for each in seen if each[1]), "each field shows its focus"
    slices = int(page.locator("#to").get_attribute("max") or 0)
    number_of = slice_of(opened)
    agrees(opened, lambda post: post.lang == "fr" and 5 <= number_of(post) <= slices - 1)
    expect(page.locator("#from")).to_have_attribute("aria-valuetext", re.compile(r"\d+ Mar"))
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#count")).to_have_text(f"All {len(opened.posts)} posts.")


def test_a_failed_workflow_is_told_under_the_title_and_leads_to_its_section(opened: Opened) -> None:
    banner = opened.page.locator("#incomplete")
    expect(banner).to_contain_text("Load ended not OK; Check did not run")
    expect(banner).to_be_in_viewport()
    banner.get_by_role("link").click()
    expect(opened.page.locator("#workflow-title")).to_be_in_viewport()


def test_a_quadrant_without_posts_stays_in_the_filter_and_on_the_map(
    browser: Browser, made: list[Post], tmp_path: Path
) -> None:
    file = tmp_path / "page.html"
    file.write_bytes(render(shaping.page(found([p for p in made if p.quadrant != "ctse"]))))
    context = browser.new_context()
    page = context.new_page()
    page.goto(file.as_uri())
    expect(page.locator("label:has(input[value=ctse]) .told")).to_have_text("0")
    expect(page.locator("#corners")).to_contain_text("Southeast 0")
    context.close()


@pytest.mark.parametrize("opened", [screen("phone")], indirect=True)
def test_on_a_phone_the_sections_links_are_one_row(opened: Opened) -> None:
    height = opened.page.locator("nav ul").evaluate("element => element.offsetHeight")
    assert height < 70
    last = opened.page.locator("nav a").last
    last.focus()
    expect(last).to_be_in_viewport()


def test_time_that_would_end_before_it_begins_is_one_slice(opened: Opened) -> None:
    opened.page.locator("#to").fill("4")
    opened.page.locator("#from").fill("9")
    assert opened.page.locator("#to").input_value() == "9"
    number_of = slice_of(opened)
    agrees(opened, lambda post: number_of(post) == 9)


def test_the_count_is_told_to_who_listens(opened: Opened) -> None:
    expect(opened.page.get_by_role("status").first).to_contain_text("posts")
    assert opened.page.locator("#count").get_attribute("aria-live") == "polite"


def test_show_more_goes_on_where_the_list_ended(opened: Opened) -> None:
    cards = opened.page.locator("[data-list=service_call] > li")
    expect(cards).to_have_count(6)
    opened.page.locator("[data-more=service_call]").click()
    expect(cards).to_have_count(18)
    expect(cards.nth(6)).to_be_focused()


def test_a_hostile_post_is_only_words(opened: Opened) -> None:
    tick(opened.page, "category", "customer")
    hostile = opened.posts[0]
    for name, value in zip(shaping.DIMENSIONS, hostile.dimensions, strict=True):
        tick(opened.page, name, value)
    number_of = slice_of(opened)
    for field in ("to", "from"):
        opened.page.locator(f"#{field}").fill(str(number_of(hostile)))
    card = opened.page.locator("[data-list=household_merge] > li").filter(has_text="C-0")
    text = card.locator("blockquote").evaluate("element => element.textContent")
    assert text.startswith(HOSTILE[: queries.LETTERS])
    assert card.locator("script, img").count() == 0
    expect(card).to_contain_text("Ann <b>Smith</b>")
    assert opened.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    assert opened.troubles == []


@pytest.mark.parametrize("opened", [screen("phone")], indirect=True)
def test_on_a_phone_cards_say_why_and_unfold_the_rest(opened: Opened) -> None:
    page = opened.page
    card = page.locator("[data-list=service_call] > li").first
    expect(card.locator("dd").first).to_contain_text("why service_call")
    expect(card.get_by_text("1 Elm St, Avon 06001")).to_be_hidden()
    card.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(card.get_by_text("1 Elm St, Avon 06001")).to_be_visible()
    assert page.evaluate("() => document.documentElement.scrollHeight") < 12_000


@pytest.mark.parametrize("opened", [screen("desktop")], indirect=True)
def test_the_theme_can_be_chosen(opened: Opened) -> None:
    paper = "() => getComputedStyle(document.body).backgroundColor"
    before = opened.page.evaluate(paper)
    for name in ("light", "dark"):
        opened.page.locator("#theme").click()
        expect(opened.page.locator("#theme")).to_have_text(f"Theme: {name}")
    assert opened.page.evaluate(paper) != before


@pytest.mark.parametrize("opened", ALL, indirect=True)
def test_axe_finds_nothing_and_nothing_scrolls_sideways(opened: Opened) -> None:
    page = opened.page
    page.locator("details").evaluate_all("all => all.forEach((each) => { each.open = true; })")
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    axe = Axe().run(page)
    assert axe.violations_count == 0, axe.generate_report()


def test_it_prints_with_all_its_sections(opened: Opened, tmp_path: Path) -> None:
    opened.page.emulate_media(media="print")
    expect(opened.page.locator(".filters")).to_be_hidden()
    for section in ("map", "service_call", "workflow", "quality", "appendix"):
        expect(opened.page.locator(f"#{section}")).to_be_visible()
    left = sum("offer" in post.kinds for post in opened.posts) - 6
    expect(opened.page.locator("[data-left=offer]")).to_have_text(
        f"{left} more are on the page itself."
    )
    expect(opened.page.locator("[data-left=offer]")).to_be_visible()
    printed = tmp_path / "page.pdf"
    opened.page.pdf(path=printed, format="A4")
    assert printed.read_bytes().startswith(b"%PDF-")


@pytest.mark.parametrize("opened", [{"reduced_motion": "reduce"}], indirect=True)
def test_nothing_moves_for_who_wants_it_still(opened: Opened) -> None:
    behaviour = "() => getComputedStyle(document.documentElement).scrollBehavior"
    assert opened.page.evaluate(behaviour) == "auto"


@pytest.mark.parametrize("opened", [{"java_script_enabled": False}], indirect=True)
def test_the_numbers_stand_there_without_javascript(opened: Opened) -> None:
    assert number(opened.page, "posts") == len(opened.posts)
    expect(opened.page.locator("noscript p")).to_be_visible()


def test_an_empty_lakes_page_says_what_to_run(browser: Browser, tmp_path: Path) -> None:
    page_file = tmp_path / "empty.html"
    page_file.write_bytes(render(shaping.page(Found(Source("a", "D", "S", BEGAN), Span()))))
    context = browser.new_context()
    page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.goto(page_file.as_uri())
    expect(page.get_by_role("heading", name="There is no post in the lake yet")).to_be_visible()
    assert Axe().run(page).violations_count == 0
    assert troubles == []
    context.close()
