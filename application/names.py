"""Names of people: whether a profile's name may be a customer's."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Set
from enum import IntEnum
from functools import lru_cache
from itertools import filterfalse
from typing import NamedTuple


class Likeness(IntEnum):
    """What two names have in common; more is better evidence."""

    OTHER = 0
    GIVEN = 1  # the given name, and one of both tells no family name
    FAMILY = 2  # the family name only
    INITIAL = 3  # the family name, and the given name as far as its initial goes
    FULL = 4  # both


class Name(NamedTuple):
    """A name in folded words; several given names or surnames (García López) are several words."""

    given: tuple[str, ...]
    family: tuple[str, ...]


class Profile(NamedTuple):
    """What a profile tells of a name.

    texts are the words of the display name, in the order given name, family name, and those of the
    user name; words are those of both. letters are the user name's, in which a name may be written
    without a gap, first all of them, then without the state. given_only is set where there is but
    one word.
    """

    texts: tuple[tuple[str, ...], ...]
    words: frozenset[str]
    letters: tuple[str, ...]
    given_only: Name | None

    @property
    def shows_whole(self) -> bool:
        """Tell whether the display name may be a whole name."""
        return len(self.texts[0]) > 1

    def denies(self, family: str) -> bool:
        """Tell whether the display name may be a whole name, and is without this family name."""
        return self.shows_whole and family not in self.texts[0]

    def may_be_of(self, families: Iterable[str]) -> bool:
        """Tell whether one of these family names is written where it may count."""
        if not self.words.isdisjoint(families):
            return True
        letters = self.letters[0]
        return not self.shows_whole and any(each in letters for each in families)


# One person, many names: each row is one given name with its short forms. A short form may be in
# several rows; two names are alike when they share a row.
_SHORT_FORMS = """
abigail abby gail| albert al bert| alberto beto| alejandro ale alex| alexander alex sandy xander|
alexandra alex sandra lexi| amanda mandy| andrew andy drew| anthony tony| antonio tono tony|
barbara barb| benjamin ben benny| catherine cathy cate kate katie| charles charlie chuck|
christina chris tina| christine chris| christopher chris| cynthia cindy| daniel dan danny|
david dave| deborah deb debbie| dolores lola| donald don donnie| dorothy dot dottie|
edward ed eddie ted| eduardo edu lalo| elizabeth beth betty eliza liz lizzie| emmanuel manu|
enrique quique| eugene gene| francisco paco pancho| frederick fred freddie| gabriel gabe|
gabriela gaby| gerald gerry jerry| gregory greg| guadalupe lupe| guillermo memo| henry hank harry|
ignacio nacho| isabel isa| jacob jake| jacqueline jackie| james jim jimmy jamie| jeffrey jeff|
jennifer jen jenny| jesus chuy| john jack johnny| jonathan jon| jose pepe| joseph joe joey|
joshua josh| judith judy| katherine kathy kate katie| kathleen kathy| kenneth ken kenny|
lawrence larry| leonard len lenny leo| luis lucho| manuel manny manolo| margaret maggie meg peggy|
maria mari| matthew matt| mercedes meche| michael mike mick| mickael mika| miguel mike|
nancy nan| natalie nat| nathaniel nate nathan| nicholas nick nicky| nicolas nico| pamela pam|
patricia pat patty tricia pati| patrick pat paddy| peter pete| philip phil| philippe phil|
rafael rafa| raymond ray| rebecca becca becky| richard dick rich rick ricky|
robert bob bobby rob robbie| roberto beto| ronald ron ronnie| rosario charo| samantha sam|
samuel sam sammy| santiago santi| sebastien seb| sergio checo| stephanie steph| stephane steph|
stephen steve| steven steve| susan sue susie| teresa tere| theodore ted teddy theo|
theresa terry| thomas tom tommy|
timothy tim| veronica ronnie vero| victoria vicky| vincent vince vinny| walter walt| william bill
billy liam will willy| zachary zach
"""
# What people put around a name and does not belong to it; "sr" is a señor, or a senior.
_TITLES = """
mr mrs ms miss mx dr dra prof rev sir sr sra srta mme mlle jr ii iii iv phd md cpa cfa cfp esq mba
rn the family familia famille official
"""
# Small words inside family names; they come and go: Maria de la Cruz, Maria Cruz.
_PARTICLES = "da das de del den der des di dos du el la las le los van von y"
_MOST_WORDS = 5  # longer is a motto, not a name
# And so is what has one of these: Frugal in Fairfield, just here for $SPY.
_NO_NAMES = "avec for here in is just not of para pour sans with"
_SHORTEST_FAMILY = 3  # inside a user name's letters: `li` is in too many words
_STATE = "ct"  # what people here put after their name: johnsmithct
_LETTERS = re.compile(r"[^\W\d_]+")
_ASCII_LETTERS = re.compile("[a-z]+")
_SIGNS_INSIDE = re.compile("['\u2019\u02bc`\u00b4]")
_PLAIN = str.maketrans(
    {"\u0131": "i", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe"}
)
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_CACHED = 1 << 16


def _forms() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for formal, *short in (row.split() for row in _SHORT_FORMS.split("|")):
        for name in (formal, *short):
            found[name] = (*found.get(name, ()), formal)
    return found


_FORMAL = _forms()
_DROPPED_TITLES = frozenset(_TITLES.split())
_DROPPED_PARTICLES = frozenset(_PARTICLES.split())
_OF_A_MOTTO = frozenset(_NO_NAMES.split())


def fold(text: str) -> str:
    """Return lower-case words without accents, signs, digits and emoji, a blank between them."""
    return " ".join(_words(text))


@lru_cache(_CACHED)
def name(first: str, last: str) -> Name:
    """Return the name of somebody whose first and last name are told apart."""
    return Name(_without_titles(_words(first)), _without_particles(_without_titles(_words(last))))


def profile(display_name: str, username: str) -> Profile:
    """Return what a display name and a user name tell."""
    words = _words(_HUMP.sub(" ", username) if not username.islower() else username)
    shown, user, letters = _shown(display_name), _person(words), "".join(words)
    # One word says little; it counts where the profile tells no more.
    texts = (shown, user) if len(shown) < 2 or len(user) > 1 else (shown,)
    told = shown or user
    return Profile(
        texts,
        frozenset(shown + user if len(texts) > 1 else shown),
        (letters, letters.removesuffix(_STATE)) if letters.endswith(_STATE) else (letters,),
        Name(told, ()) if len(told) == 1 else None,
    )


def compare(one: Name, other: Name) -> Likeness:
    """Tell what two names have in common; which is the first does not count.

    A person with two surnames is often called by one, so the fewer surnames have to be among the
    others': García is García López, but García Pérez is only of the family.
    """
    given = _compare_given(one.given, other.given)
    if not (one.family and other.family):
        return Likeness.GIVEN if given is Likeness.FULL else Likeness.OTHER
    if one.family == other.family:
        return given
    mine, others = set(one.family), set(other.family)
    if mine.isdisjoint(others):
        return Likeness.OTHER
    return given if mine <= others or mine >= others else Likeness.FAMILY


def likeness(customer: Name, author: Profile) -> Likeness:
    """Return the best of all ways to read the profile.

    Many a family name is also a given name, or is inside other words. So alone it counts only in
    its place, and a user name has to tell all of a name that the display name does not tell.
    """
    found = Likeness.OTHER
    for family in _spellings(customer.family):
        spelled = customer if family in customer.family else Name(customer.given, (family,))
        for each in _readings(author, family):
            how = compare(spelled, each)
            if how is Likeness.FULL or not author.denies(family):
                found = max(found, how)
    if found is Likeness.FAMILY and not _in_place(customer.family, author):
        found = Likeness.OTHER
    if found is Likeness.OTHER and author.given_only:
        found = compare(customer, author.given_only)
    return found


def customer_keys(customer: Name) -> set[str]:
    """Return the keys that `profile_keys` has in common when the likeness is INITIAL or FULL.

    A key is a family name after what the given name may be short for, after `j` where only that
    is known of a given name, or after `j.` where more is known.
    """
    return {
        f"{given} {family}"
        for family in _spellings(customer.family)
        for given in (*_formals(customer.given), *_initials(customer.given))
    }


def profile_keys(author: Profile, families: Set[str]) -> set[str]:
    """Return the keys of all readings whose family name is one of these."""
    keys: set[str] = set()
    for family in _parts(author) & families:
        for each in _readings(author, family):
            keys.update(f"{given} {family}" for given in _formals(each.given))
            for initial in _initials(each.given):
                keys.add(f"{initial[0]} {family}")
                if len(initial) == 1:
                    keys.add(f"{initial}. {family}")
    return keys


def whole_keys(author: Profile, families: Set[str]) -> Iterator[str]:
    """Yield keys among which those are that `customer_keys` has too when the likeness is FULL.

    Any word beside a family name may be the given one here, which is quicker than the readings.
    """
    for given, family in _pairs(author, families):
        if len(given) > 1:
            for formal in _FORMAL.get(given, (given,)):
                yield f"{formal} {family}"


def _pairs(author: Profile, families: Set[str]) -> Iterator[tuple[str, str]]:
    """Yield what may be a given name and one of these family names, the letters' ways too."""
    shown = author.texts[0]
    for words in author.texts:
        for family in words:
            if family in families:
                for given in words:
                    if given is not family:
                        yield given, family
                if words is shown and len(family) >= _SHORTEST_FAMILY:
                    for letters in author.letters:
                        if letters.endswith(family):
                            yield letters[: -len(family)], family
                        if letters.startswith(family):
                            yield letters[len(family) :], family
    if not author.shows_whole:
        for letters in author.letters:
            for cut in range(_SHORTEST_FAMILY, len(letters) - 1):
                if letters[-cut:] in families:
                    yield letters[:-cut], letters[-cut:]
                if letters[:cut] in families:
                    yield letters[cut:], letters[:cut]


def family_keys(customer: Name) -> tuple[str, ...]:
    """Return the words by which a family name may be written, several also in one."""
    return _spellings(customer.family)


def _compare_given(one: tuple[str, ...], other: tuple[str, ...]) -> Likeness:
    """Return FULL where a name is alike, INITIAL where one has but the other's, else FAMILY."""
    if not (one and other):
        return Likeness.FAMILY
    first, second = one[0], other[0]
    if (first == second and len(first) > 1) or not set(_formals(one)).isdisjoint(_formals(other)):
        return Likeness.FULL
    short = len(first) == 1 or len(second) == 1
    return Likeness.INITIAL if short and first[0] == second[0] else Likeness.FAMILY


@lru_cache(_CACHED)
def _formals(given: tuple[str, ...]) -> tuple[str, ...]:
    """Return what the given names may be short for; an initial is none of them."""
    return tuple(formal for word in given if len(word) > 1 for formal in _FORMAL.get(word, (word,)))


def _initials(given: tuple[str, ...]) -> tuple[str, ...]:
    """Return the first name's initial: `j` when that is all, else `j.`."""
    return tuple(word if len(word) == 1 else f"{word[0]}." for word in given[:1])


def _spellings(family: tuple[str, ...]) -> tuple[str, ...]:
    return (*family, "".join(family)) if len(family) > 1 else family


def _readings(author: Profile, family: str) -> Iterator[Name]:
    """Yield every way to read a profile in which this is, or is among, the family name.

    The family name may stand first or last. The letters of a user name say nothing against a
    display name of other people.
    """
    for words in author.texts:
        if family in words:
            if len(words) == 1:
                yield Name((), words)
            for cut in range(1, len(words)):
                if family in words[cut:]:
                    yield Name(words[:cut], words[cut:])
                if family in words[:cut]:
                    yield Name(words[cut:], words[:cut])
    if len(family) >= _SHORTEST_FAMILY and not author.denies(family):
        for letters in author.letters:
            if len(letters) > len(family):
                if letters.endswith(family):
                    yield Name((letters[: -len(family)],), (family,))
                if letters.startswith(family):
                    yield Name((letters[len(family) :],), (family,))


def _in_place(family: tuple[str, ...], author: Profile) -> bool:
    """Tell whether a family name is the last word of a display name, or all that there is.

    Of two surnames the first may also stand before another one: García López, García Pérez.
    """
    spellings, shown = _spellings(family), author.texts[0]
    if author.shows_whole:
        two = len(family) > 1 and len(shown) > 2
        return shown[-1] in spellings or (two and shown[-2] in spellings)
    alone = (*author.letters, *(words[0] for words in author.texts if len(words) == 1))
    return not set(alone).isdisjoint(spellings)


def _parts(author: Profile) -> Set[str]:
    """Return whatever may be a family name."""
    if author.shows_whole:
        return author.words
    found = set(author.words)
    for letters in author.letters:
        found.update([letters[cut:] for cut in range(1, len(letters))])
        found.update([letters[:cut] for cut in range(1, len(letters))])
    return found


@lru_cache(_CACHED)  # the same people write again and again
def _shown(display_name: str) -> tuple[str, ...]:
    """Return the name in a display name; what stands before a comma comes last: Smith, Bob."""
    before, _, behind = display_name.partition(",")
    return _person(_words(f"{behind} {before}" if behind else before))


def _person(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words that may be a name, none where they are a motto."""
    if len(words) > 1:
        words = _without_titles(words)
    if len(words) > 2:
        words = words[:1] + _without_particles(words[1:])
    return words if len(words) <= _MOST_WORDS and _OF_A_MOTTO.isdisjoint(words) else ()


def _without_titles(words: tuple[str, ...]) -> tuple[str, ...]:
    if _DROPPED_TITLES.isdisjoint(words):
        return words
    return tuple(word for word in words if word not in _DROPPED_TITLES) or words


def _without_particles(words: tuple[str, ...]) -> tuple[str, ...]:
    if _DROPPED_PARTICLES.isdisjoint(words):
        return words
    return tuple(word for word in words[:-1] if word not in _DROPPED_PARTICLES) + words[-1:]


def _words(text: str) -> tuple[str, ...]:
    """Return lower-case words without accents, signs, digits and emoji."""
    if text.isascii():  # most are, and this is the short way
        plain = text.replace("'", "").replace("`", "").lower()
        if plain.replace(" ", "").isalpha():
            return tuple(plain.split())
        return tuple(_ASCII_LETTERS.findall(plain))
    folded = unicodedata.normalize("NFKD", _SIGNS_INSIDE.sub("", text)).casefold()
    plain = unicodedata.normalize("NFKD", folded).translate(_PLAIN)
    bare = "".join(filterfalse(unicodedata.combining, plain))
    return tuple(_LETTERS.findall(bare))
