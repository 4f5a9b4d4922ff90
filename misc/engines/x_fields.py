"""Which parts of a post a request to X asks for.

Without being asked X sends only a post's id and text; docs.x.com calls the rest fields and
expansions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


TWEET_FIELDS = _names(
    "article attachments author_id card_uri community_id context_annotations conversation_id "
    "created_at display_text_range edit_controls edit_history_tweet_ids entities geo id "
    "in_reply_to_user_id lang media_metadata note_tweet possibly_sensitive public_metrics "
    "referenced_tweets reply_settings scopes source text withheld"
)
USER_FIELDS = _names(
    "affiliation connection_status created_at description entities id is_identity_verified "
    "location most_recent_tweet_id name parody pinned_tweet_id profile_banner_url "
    "profile_image_url protected public_metrics receives_your_dm subscription "
    "subscription_type url username verified verified_followers_count verified_type "
    "withheld"
)
PLACE_FIELDS = _names("contained_within country country_code full_name geo id name place_type")
EXPANSIONS = _names(
    "article.cover_media article.media_entities attachments.media_keys "
    "attachments.media_source_tweet attachments.poll_ids author_id edit_history_tweet_ids "
    "entities.mentions.username geo.place_id in_reply_to_user_id entities.note.mentions.username "
    "referenced_tweets.id referenced_tweets.id.author_id"
)
PARAMETERS = {
    "tweet.fields": TWEET_FIELDS,
    "user.fields": USER_FIELDS,
    "place.fields": PLACE_FIELDS,
    "expansions": EXPANSIONS,
}


class ParameterError(Exception):
    """X would answer 400: the parameter, its value and X's message."""

    def __init__(self, name: str, value: str, message: str) -> None:
        super().__init__(message)
        self.name = name
        self.value = value


@dataclass(frozen=True)
class Wanted:
    """The fields and expansions of one request."""

    tweet: frozenset[str]
    user: frozenset[str]
    place: frozenset[str]
    expansions: frozenset[str]


def wanted(query: Mapping[str, str]) -> Wanted:
    """Read the parameters of a request; ParameterError for a value that X does not know."""
    asked = {name: _listed(name, query.get(name, "")) for name in PARAMETERS}
    return Wanted(
        tweet=asked["tweet.fields"] | {"id", "text", "edit_history_tweet_ids"},
        user=asked["user.fields"] | {"id", "name", "username"},
        place=asked["place.fields"] | {"id", "full_name"},
        expansions=asked["expansions"],
    )


def chosen(posts: Iterable[Mapping[str, Any]], fields: Wanted) -> tuple[list[Any], dict[str, Any]]:
    """Return the posts' data and their includes, each included object once."""
    data = []
    users: dict[str, Any] = {}
    places: dict[str, Any] = {}
    for post in posts:
        whole = post["data"]
        names = set(fields.tweet)
        includes = post.get("includes") or {}
        if "author_id" in fields.expansions:
            names.add("author_id")
            users.update(_included(includes.get("users"), whole.get("author_id"), fields.user))
        if "geo.place_id" in fields.expansions:
            names.add("geo")
            place_id = (whole.get("geo") or {}).get("place_id")
            places.update(_included(includes.get("places"), place_id, fields.place))
        part = {"edit_history_tweet_ids": [whole["id"]], **whole}
        data.append({name: value for name, value in part.items() if name in names})
    included = {"users": list(users.values()), "places": list(places.values())}
    return data, {name: found for name, found in included.items() if found}


def _listed(name: str, text: str) -> frozenset[str]:
    values = frozenset(filter(None, text.split(",")))
    for value in values - PARAMETERS[name]:
        known = ",".join(sorted(PARAMETERS[name]))
        raise ParameterError(
            name, text, f"The `{name}` query parameter value [{value}] is not one of [{known}]"
        )
    return values


def _included(
    objects: Iterable[Mapping[str, Any]] | None, wanted_id: str | None, fields: frozenset[str]
) -> dict[str, Any]:
    return {
        each["id"]: {name: value for name, value in each.items() if name in fields}
        for each in objects or ()
        if each.get("id") == wanted_id
    }
