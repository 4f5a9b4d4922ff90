"""How far feelings and topics agree with people: `python -m tests.bench.language`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from statistics import correlation
from typing import get_args

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from application.records import Topic
from application.sentiment import THRESHOLD, feel
from application.topics import topics
from tests.application.labelled import (
    FLOORS,
    HALVES,
    LANGUAGES,
    PUBLISHED_CORRELATION,
    TOPIC_FLOORS,
    Half,
    Labelled,
    class_f1,
    f1,
    macro_f1,
    posts,
    rated_tweets,
)
from tests.bench.table import Row, say, table

CLASSES = ("positive", "neutral", "negative")


def measures() -> list[Row]:
    """Measure agreement on the rated tweets and on our posts, and the time it takes."""
    return [*tweets(), *feelings(), *about(), *speed()]


def tweets() -> list[Row]:
    """Compare with the paper, and with the package's own scorer, on VADER's rated tweets.

    The weights that are ours were chosen with these tweets in view, so the weaker half is shown,
    too. The three classes take the same thresholds in people's ratings as in scores; "weighted"
    counts each class by its tweets.
    """
    rated = rated_tweets()
    say(f"{len(rated)} rated tweets")
    package = SentimentIntensityAnalyzer()
    truth = [each.rating for each in rated]
    ours = [feel(each.text, "en").score for each in rated]
    theirs = [float(package.polarity_scores(each.text)["compound"]) for each in rated]
    return [
        Row(
            "rated tweets: correlation with people",
            f"{correlation(ours, truth):.4f}",
            f"paper {PUBLISHED_CORRELATION}, package {correlation(theirs, truth):.4f}",
            f"at least {PUBLISHED_CORRELATION}",
            correlation(ours, truth) >= PUBLISHED_CORRELATION,
        ),
        Row(
            "the even tweets alone, the weaker half",
            f"{correlation(ours[1::2], truth[1::2]):.4f}",
            f"package {correlation(theirs[1::2], truth[1::2]):.4f}",
            f"at least {PUBLISHED_CORRELATION}",
            correlation(ours[1::2], truth[1::2]) >= PUBLISHED_CORRELATION,
        ),
        Row(
            "rated tweets: weighted F1 of three classes",
            f"{_weighted_f1(truth, ours):.3f}",
            f"paper 0.96, package {_weighted_f1(truth, theirs):.3f}",
            "",
            True,
        ),
    ]


def feelings() -> list[Row]:
    """Give the macro-F1 of the three feelings, for each language and for all."""
    rows = []
    for half in HALVES:
        everything: list[Labelled] = []
        for lang in LANGUAGES:
            everything += posts(lang, half)
            score = _feelings(posts(lang, half))
            floor = FLOORS[lang] if half == "held back" else 0.0
            rows.append(_row(f"feelings, {lang}, {half}: macro-F1", score, floor))
        rows.append(_row(f"feelings, all, {half}: macro-F1", _feelings(everything), 0.0))
    return rows


def about() -> list[Row]:
    """Give the F1 of each topic over all languages."""
    rows = []
    for half in HALVES:
        for topic in get_args(Topic):
            floor = TOPIC_FLOORS[topic] if half == "held back" else 0.0
            rows.append(_row(f"{topic}, {half}: F1", topic_f1(topic, half), floor))
    return rows


def topic_f1(topic: str, half: Half) -> float:
    """Return the F1 of one topic over the posts of all languages."""
    everything = [post for lang in LANGUAGES for post in posts(lang, half)]
    return f1(
        [topic in post.topics for post in everything],
        [topic in topics(post.text, post.lang) for post in everything],
    )


def speed() -> list[Row]:
    """Give the CPU time a text takes, the best of some rounds, beside the package's own scorer."""
    package = SentimentIntensityAnalyzer()
    theirs = _microseconds(lambda text, _: package.polarity_scores(text), "en")
    rows = []
    for lang in LANGUAGES:
        ours = _microseconds(feel, lang)
        rows.append(
            Row(
                f"feelings, {lang}: CPU time a post",
                f"{ours:.0f} µs",
                f"package, en: {theirs:.0f} µs",
                "at most the package's, twice for es and fr",
                ours <= theirs * (1 if lang == "en" else 2),
            )
        )
        rows.append(
            Row(
                f"topics, {lang}: CPU time a post",
                f"{_microseconds(topics, lang):.0f} µs",
                "",
                "",
                True,
            )
        )
    return rows


def _microseconds(judge: Callable[[str, str], object], lang: str) -> float:
    texts = [post.text for half in HALVES for post in posts(lang, half)]
    best = float("inf")
    for _ in range(20):
        started = time.process_time()
        for text in texts:
            judge(text, lang)
        best = min(best, time.process_time() - started)
    return best / len(texts) * 1e6


def _feelings(several: Sequence[Labelled]) -> float:
    return macro_f1(
        [post.feeling for post in several], [feel(post.text, post.lang).feeling for post in several]
    )


def _weighted_f1(truth: Sequence[float], scores: Sequence[float]) -> float:
    told, found = [_class(each) for each in truth], [_class(each) for each in scores]
    weights = [told.count(each) / len(told) for each in CLASSES]
    return sum(w * s for w, s in zip(weights, class_f1(told, found, CLASSES), strict=True))


def _class(score: float) -> str:
    return "positive" if score >= THRESHOLD else "negative" if score <= -THRESHOLD else "neutral"


def _row(what: str, score: float, floor: float) -> Row:
    return Row(what, f"{score:.3f}", "", f"at least {floor}" if floor else "", score >= floor)


if __name__ == "__main__":
    print(table(measures()))
