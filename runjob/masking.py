"""Hide what looks like a secret: by its name, by its looks, or because it is known to be one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

MASK = "****"

_NAME = re.compile(
    r"pass|pwd|(?<![a-z])pw(?![a-z])|secret|token|key|credential|auth|dsn|conn", re.I
)

# A value shorter than this is no secret worth the name, and hiding it would hide common words.
SHORTEST = 6

_WORD = (
    r"(?:pass(?:word|wd|phrase|code)|(?<![a-z])pass(?![a-z])|pwd|secret|token|api[_-]?key"
    r"|access[_-]?key|credentials?)"
)
# What names a secret's place and not the secret: --token-file, SECRET_NAME.
_PLACE = r"(?![\w.-]{0,40}(?:file|path|dir|name|id|ref|type|url|length|ttl)\b)"
# Bounded, so that no text takes long to look through.
_NAMED = rf"{_PLACE}[\w.-]{{0,30}}{_WORD}[\w.-]{{0,30}}"
# After an option that takes a secret, such a word is more likely the next option.
_LONG = r"--[a-z][a-z-]*(?:=|\s|\Z)"
_TEXT = r"(?:\"(?:\\.|[^\"\\])*\"|'[^']*'|[^\s\"'&;,]+)"

# Each matches what is kept before the secret (as `kept`) and the secret itself.
_LOOKS = tuple(
    re.compile(pattern, re.S)
    for pattern in (
        # Keys and certificates, to their end or to the end of the text.
        r"(?P<kept>)-----BEGIN [A-Z0-9 ]+-----.*?(?:-----END [A-Z0-9 ]+-----|\Z)",
        r"(?P<kept>)\beyJ[\w-]{6,}\.[\w-]{6,}\.[\w-]*",  # a JSON Web Token
        r"(?P<kept>)\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
        r"(?P<kept>)\b(?:gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-|npm_|hf_|sk-)[\w-]{10,}",
        r"(?P<kept>\bhooks\.slack\.com/services/)[\w/]+",
        r"(?P<kept>[?&](?:sig|X-Amz-Signature)=)[^\s&\"']+",
        r"(?P<kept>\bjdbc:oracle:\w+:[^\s:/@]{1,100}/)[^\s@]+(?=@)",
        r"(?i:(?P<kept>\bauthorization[\"']?\s*[=:]\s*[\"']?(?:(?:basic|bearer|token)\s+)?)[^\s\"']+)",
        # The password of an address; a port is none.
        r"(?P<kept>\b[A-Za-z][A-Za-z0-9+.-]{0,20}://[^\s:/@]{0,100}:)(?!\d{1,5}(?:/|\s|$))\S{1,512}(?=@)",
        rf"(?i:(?P<kept>\b{_NAMED}[\"']?\s*[=:]\s*)(?!//){_TEXT})",
        rf"(?i:(?P<kept>(?<!\S)--?{_NAMED}\s+)(?!{_LONG}){_TEXT})",
        r"(?i:(?P<kept>\b(?:bearer|basic|token)\s+)(?:(?=[^\s\d]*\d)[\w.~+/=-]{8,}|[\w.~+/=-]{20,}))",
        # A long word of letters and digits beside such a name.
        rf"(?i:(?P<kept>\b{_NAMED}\W{{1,4}})(?=[^\s\d]*\d)[\w+/-]{{20,}}=*)",
        r"(?P<kept>\b(?:mysql|mariadb|sshpass)\w*\b[^|;&]{0,200}?\s-p)[^\s=]\S*",
        r"(?P<kept>\bsshpass\s+-p\s+)\S+",
        r"(?P<kept>\b(?:curl|wget)\b[^|;&]{0,200}?\s(?:-u|--user)[ =]?[^\s:]+:)\S+",
    )
)


def is_secret(name: str) -> bool:
    """Tell whether a value under this name is likely a secret."""
    return _NAME.search(name) is not None


def masked(name: str, value: str) -> str:
    """Return a value as it may be shown: all hidden by its name, or what looks like a secret."""
    return MASK if is_secret(name) else masked_text(value)


def masked_text(text: str) -> str:
    """Hide what looks like a secret within a text."""
    for look in _LOOKS:
        text = look.sub(lambda found: found["kept"] + MASK, text)
    return text


_OPTION = re.compile(rf"--?{_NAMED}", re.I)
_NEXT = re.compile(_LONG)
_WITH_VALUE = re.compile(rf"\A(--?{_NAMED}=).+", re.I | re.S)


def masked_words(words: Sequence[str]) -> str:
    """Return a command in one line, without the secrets in it."""
    shown = [
        MASK
        if _OPTION.fullmatch(before) and not _NEXT.match(word)
        else _WITH_VALUE.sub(rf"\1{MASK}", word)
        for before, word in zip(("", *words), words, strict=False)
    ]
    return masked_text(" ".join(shown))


def without(text: str, secrets: Iterable[str]) -> str:
    """Hide values that are known to be secrets, also as they look in quotes."""
    forms = {
        form
        for secret in secrets
        if len(secret) >= SHORTEST
        for form in (secret, repr(secret)[1:-1], " ".join(secret.split()))
        if len(form) >= SHORTEST
    }
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, MASK)
    return text
