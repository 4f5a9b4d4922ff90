"""Invented names: given names as people bear them, surnames put together so that nobody bears both.

A name is drawn by rank, the first of a list often, so that some people share one, as in life.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import accumulate, product


@dataclass(frozen=True)
class Culture:
    """Given names and surnames that go together, and the languages that their bearers write in.

    Those with two surnames have the father's first and the mother's after it.
    """

    name: str
    share: float
    given: tuple[str, ...]
    family: tuple[str, ...]
    languages: tuple[tuple[str, float], ...] = (("en", 1.0),)
    two_surnames: bool = False


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _joined(stems: str, endings: str) -> tuple[str, ...]:
    """Put surnames together; which stem goes with which ending first is mixed, always alike."""
    pairs = [stem + ending for stem, ending in product(stems.split(), endings.split())]
    random.Random(stems).shuffle(pairs)
    return tuple(pairs)


_ENGLISH = Culture(
    "english", 0.44,
    _words("""
    Robert William Elizabeth Michael Jennifer Katherine James Margaret Thomas Susan Daniel Patricia
    Joseph Rebecca Christopher Deborah Matthew Barbara Andrew Stephanie Benjamin Samantha Nicholas
    Victoria Timothy Jessica Edward Christine Gregory Pamela Kenneth Abigail Charles Emily Grace
    Hannah Ethan Logan Chloe Mason Avery Brooke Tyler Megan Dylan Kayla Owen Faith Jordan Riley
    """),
    (
        *_joined(
            "Ash Brook Carr Dun Elms Fair Gran Hale Ivy Kest Lang Marl North Oak Pem Quin Rad Stan "
            "Thorn Under Wick Yar Crane Holt Fen",
            "grove well more worth lake by stead combe ley wick den shaw",
        ),
        # Surnames that are given names, or words, too.
        *_words("Grace Alexis Sterling Brooks Penny Banks"),
    ),
)  # fmt: skip
_SPANISH = Culture(
    "spanish", 0.2,
    _words("""
    José María Luis Ana Carlos Carmen Juan Rosa Francisco Guadalupe Miguel Isabel Antonio Teresa
    Manuel Lucía Alejandro Sofía Ricardo Valentina Rafael Gabriela Javier Daniela Ángel Mariana
    Sergio Camila Enrique Ximena Ramón Yolanda Iván Marisol Óscar Noelia
    """),
    _joined(
        "Valde Rio Monte Casa Fuente Peña Villa Campo Sierra Alba Torre Mira",
        "mora santo rubio nueva frías llano verde salgado bríos negra cedo nieto",
    ),
    (("es", 0.72), ("en", 0.28)),
    two_surnames=True,
)  # fmt: skip
_FRENCH = Culture(
    "french", 0.12,
    _words("""
    Jean Marie Pierre Chloé Luc Élise François Camille Mathieu Zoé Étienne Amélie Olivier Margaux
    Guillaume Hélène Antoine Manon Benoît Sylvie Rémi Geneviève Yves Océane Thibault Léa
    """),
    _joined(
        "Beau Mont Bel Roche Haute Clair Val Fon Mar Gran",
        "marec vallier brune fort seigne court lieu taine pré chêne",
    ),
    (("fr", 0.78), ("en", 0.22)),
)  # fmt: skip
_OTHERS = (
    Culture(
        "italian", 0.06,
        _words("Anthony Gina Vincent Rosalia Dominic Carla Salvatore Nina Marco Francesca Enzo"),
        _joined("Bel Cast Mont Fior Gual Pelle Roma", "larini ellucci ebruno antoro dieri onelli"),
    ),
    Culture(
        "polish", 0.05,
        _words("Stanisław Agnieszka Piotr Katarzyna Marek Ewa Tomasz Zofia Łukasz Monika"),
        _joined("Wier Brzoz Kali Dobro Zawi Sosn", "nowski ecki nicki sławski lewicz ak"),
    ),
    Culture(
        "portuguese", 0.04,
        _words("João Beatriz Tiago Inês Paulo Fátima Rui Catarina"),
        _joined("Mour Pinh Ribe Cast Alm Ferr", "endes eiral asso elhares orinha"),
    ),
    Culture(
        "south asian", 0.04,
        _words("Priya Arjun Ananya Rohan Kavya Vikram Meera Sanjay Nisha Imran Fatima Adeel"),
        _joined("Vara Suri Chand Raja Mehr Bhan", "das kanti pati war yani murthi"),
    ),
    Culture(
        "east asian", 0.03,
        _words("Wei Mei Jin Hana Minh Linh Kenji Yuna Bao Lan"),
        _words("Xiang Quon Tranh Nguyet Phung Sato-Mori Haneul Zhu-Lin Bae Duong Kwan Lo"),
    ),
    Culture(
        "west african", 0.02,
        _words("Kwame Adaeze Femi Amina Kofi Ngozi Yaw Abena"),
        _joined("Ade Oko Nwa Boa Men", "wunmi tuyo kwesi bori chukwu sah"),
    ),
)  # fmt: skip
CULTURES = (_ENGLISH, _SPANISH, _FRENCH, *_OTHERS)
_SHARES = tuple(accumulate(each.share for each in CULTURES))

# How people call themselves; written from what one hears, not from the matcher's own table.
SHORT = {
    each.split()[0]: tuple(each.split()[1:])
    for each in """
    Robert Bob Rob|William Bill Will|Elizabeth Liz Beth|Michael Mike|Jennifer Jen Jenny
    Katherine Kate Kathy|James Jim Jimmy|Margaret Maggie Peg|Thomas Tom|Susan Sue|Daniel Dan Danny
    Patricia Pat Trish|Joseph Joe|Rebecca Becky|Christopher Chris Topher|Deborah Deb|Matthew Matt
    Barbara Barb|Andrew Andy Drew|Stephanie Steph|Benjamin Ben|Samantha Sam|Nicholas Nick
    Victoria Vicky Tori|Timothy Tim|Jessica Jess|Edward Ed Ted|Christine Chris|Gregory Greg
    Pamela Pam|Kenneth Ken|Abigail Abby|Charles Charlie Chuck|Emily Em|José Pepe|Francisco Paco
    María Mari|Guadalupe Lupe|Isabel Isa|Antonio Toño|Teresa Tere|Alejandro Alex Ale|Rafael Rafa
    Gabriela Gaby|Enrique Quique|Manuel Manny|Daniela Dani|Ricardo Richie|Valentina Vale
    Mathieu Mat|Amélie Mél|Guillaume Guigui|Anthony Tony|Vincent Vinny|Dominic Dom|Salvatore Sal
    Katarzyna Kasia|Stanisław Stan|Agnieszka Aga|Vikram Vik|Ananya Anu
    """.replace("\n", "|").split("|")
    if each.split()
}  # fmt: skip


def culture(chance: random.Random) -> Culture:
    """Draw a culture by its share."""
    return chance.choices(CULTURES, cum_weights=_SHARES)[0]


def given(of: Culture, chance: random.Random) -> str:
    """Draw a given name."""
    return _ranked(of.given, chance)


def surname(of: Culture, chance: random.Random) -> str:
    """Draw one surname."""
    return _ranked(of.family, chance)


def _ranked(names: tuple[str, ...], chance: random.Random) -> str:
    """Draw the first ones more often, the first about eight times as often as the last."""
    return names[int(len(names) * chance.random() ** 1.6)]
