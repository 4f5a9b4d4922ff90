"""What a text is about: examples, laws, and the agreement with people."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.action import PRODUCTS
from application.records import Topic
from application.topics import named_products, topics
from tests.application.labelled import LANGUAGES, TOPIC_FLOORS, f1, posts


@pytest.mark.parametrize(
    ("text", "lang", "found"),
    [
        pytest.param("Hidden fees again", "en", {"complaint"}, id="en: a pattern"),
        pytest.param("My broker is horrible", "en", {"complaint"}, id="en: a bad feeling"),
        pytest.param("This market is horrible", "en", set(), id="en: not about a service"),
        pytest.param("Kudos to the branch in Avon", "en", {"praise"}, id="en: praise"),
        pytest.param("We're moving to Avon", "en", {"moving"}, id="en: moving"),
        pytest.param("Moving average of the S&P", "en", set(), id="en: nobody moves"),
        pytest.param("Should I open a Roth IRA?", "en", {"product_interest"}, id="en: interest"),
        pytest.param("Should I open a window?", "en", set(), id="en: no product"),
        pytest.param("Great app, terrible outage", "en", {"complaint"}, id="complaint wins"),
        pytest.param("Comisiones ocultas otra vez", "es", {"complaint"}, id="es: complaint"),
        pytest.param("Gracias a mi asesora", "es", {"praise"}, id="es: praise"),
        pytest.param("Nos mudamos a Avon", "es", {"moving"}, id="es: moving"),
        pytest.param(
            "Quiero abrir un plan de pensiones", "es", {"product_interest"}, id="es: asks"
        ),
        pytest.param("Frais caches encore", "fr", {"complaint"}, id="fr: without accents"),
        pytest.param("Merci à ma conseillère", "fr", {"praise"}, id="fr: praise"),
        pytest.param("On déménage à Avon", "fr", {"moving"}, id="fr: moving"),
        pytest.param("Comment ouvrir un PEA ?", "fr", {"product_interest"}, id="fr: asks"),
        pytest.param("Nos mudamos a Avon", "und", {"moving"}, id="any language"),
        pytest.param("Fed leaves rates unchanged", "en", set(), id="news"),
        pytest.param("", "en", set(), id="empty"),
    ],
)
def test_a_text_is_about(text: str, lang: str, found: set[Topic]) -> None:
    assert topics(text, lang) == found


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("roll my 401(k) over", ("retirement",)),
        ("529 plan or bonds", ("college", "bonds")),
        ("a seguro de vida", ("insurance",)),
        ("un conseiller financier", ("managed",)),
        ("which broker for ETFs", ("brokerage",)),
        ("stockholm", ()),
    ],
)
def test_products_are_named(text: str, named: tuple[str, ...]) -> None:
    assert named_products(text) == named


@given(st.text(max_size=80), st.sampled_from(["en", "es", "fr", "und"]))
def test_any_text_has_topics_and_products_of_ours_only(text: str, lang: str) -> None:
    assert topics(text, lang) <= set(get_args(Topic))
    assert set(named_products(text)) <= set(PRODUCTS)


@given(st.text(max_size=60), st.sampled_from(["en", "es", "fr"]))
def test_who_complains_does_not_praise(text: str, lang: str) -> None:
    assert not topics(f"great service, {text} scam estafa arnaque", lang) >= {"complaint", "praise"}


@pytest.mark.parametrize("topic", get_args(Topic))
def test_topics_agree_with_the_half_that_was_held_back(topic: Topic) -> None:
    held = [post for lang in LANGUAGES for post in posts(lang, "held back")]
    found = [topic in topics(post.text, post.lang) for post in held]
    assert f1([topic in post.topics for post in held], found) >= TOPIC_FLOORS[topic]
