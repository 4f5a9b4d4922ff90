"""What a text is about: examples, laws, and the agreement with people."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.action import PRODUCTS
from application.records import Topic
from application.sentiment import feel
from application.topics import named_products, topics
from misc.engines.sample import PRODUCTS as SAMPLED
from misc.engines.sample import TEXTS, WORDS
from tests.application.labelled import LANGUAGES, TOPIC_FLOORS, f1, posts

# The products that the sample names in all three languages: it has no college fund but in English.
SAME_PRODUCTS = {
    lang: tuple(name for name in names if name != "college fund") for lang, names in SAMPLED.items()
}


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
        pytest.param("My premium went up again", "en", {"complaint"}, id="en: dearer"),
        pytest.param("I'm done with this broker", "en", {"complaint"}, id="en: done"),
        pytest.param("My fees never went up", "en", set(), id="en: not dearer"),
        pytest.param("Las comisiones no son altas", "es", set(), id="es: not dear"),
        pytest.param("Les frais ne sont pas élevés", "fr", set(), id="fr: not dear"),
        pytest.param("I am moving to another bank", "en", {"complaint"}, id="en: leaves"),
        pytest.param("Paso mi seguro a otro banco", "es", {"complaint"}, id="es: leaves"),
        pytest.param("Mon PEA part chez un autre courtier", "fr", {"complaint"}, id="fr: leaves"),
        pytest.param(
            "Should I open an IRA and switch banks?", "en", {"complaint"}, id="no offer to a leaver"
        ),
        pytest.param(
            "We're moving to Avon and switching banks", "en", {"complaint", "moving"}, id="both"
        ),
        pytest.param("Switched brokers, excellent service", "en", {"praise"}, id="en: has left"),
        pytest.param("Cambié de bróker, excelente trato", "es", {"praise"}, id="es: has left"),
        pytest.param("J'ai changé de courtier, super suivi", "fr", {"praise"}, id="fr: has left"),
        pytest.param("¿Debería comprar bonos?", "es", {"product_interest"}, id="es: a question"),
        pytest.param("Pasamos un buen momento en el banco", "es", set(), id="es: no praise"),
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
        ("moving my college fund to another bank", ("college",)),
    ],
)
def test_products_are_named(text: str, named: tuple[str, ...]) -> None:
    assert named_products(text) == named


@pytest.mark.parametrize("product", range(3))
@pytest.mark.parametrize("sentence", range(4))
@pytest.mark.parametrize("word", WORDS)
def test_a_sentence_says_the_same_in_every_language(sentence: int, product: int, word: str) -> None:
    said = {
        lang: TEXTS[lang][sentence].format(product=SAME_PRODUCTS[lang][product], word=word)
        for lang in LANGUAGES
    }
    about = {lang: topics(text, lang) for lang, text in said.items()}
    assert len(set(about.values())) == 1, about
    assert len({feel(text, lang).feeling for lang, text in said.items()}) == 1, said


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
