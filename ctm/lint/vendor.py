"""What Control-M takes, read from the metadata of the vendor's own client, ctm-python-client."""

from __future__ import annotations

import difflib
import enum
import importlib
import typing
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from types import MappingProxyType
from typing import Any, Literal

Kind = Literal["any", "text", "number", "flag", "choice", "list", "record", "pairs"]


class MissingClientError(Exception):
    """The vendor's client is not installed; the text says how to install it."""


@dataclass(frozen=True)
class Shape:
    """What a value may be: a choice has words, a list an item, a record members."""

    kind: Kind
    words: tuple[str, ...] = ()
    item: Shape | None = None
    members: Mapping[str, Property] = field(default_factory=dict)


@dataclass(frozen=True)
class Property:
    """What a property takes, and whether it must be there."""

    shape: Shape
    required: bool = False


@dataclass(frozen=True)
class ItemType:
    """A type: its properties, the kinds of its children, and a start that frees further names."""

    name: str
    properties: Mapping[str, Property]
    children: tuple[str, ...] = ()
    free: str | None = None


ANY, TEXT = Shape("any"), Shape("text")

# From here on: where the metadata is known to be wrong, or silent, against the vendor's
# documentation and samples.

TOP = ("Folder", "SimpleFolder", "ConnectionProfile", "Driver", "Calendar", "SiteStandard",
       "SiteStandardPolicy", "WorkloadPolicy", "ResourcePools")  # fmt: skip
"""What may stand at the top of a file."""

_ABSTRACT = ("Job", "IfBase", "IfBase:Folder", "Resource", "Notify", "Action", "Event", "Endpoint",
             "Calendar", "On", "Do", "FolderJobBase", "FolderJobBase:Smart", "ConnectionProfile",
             "AI ConnectionProfile", "Job:ApplicationIntegrator")  # fmt: skip
"""Bases of the client's classes, which are no types to write."""

_CHILDREN: Mapping[str, tuple[str, ...]] = {
    # The metadata has a base class without members here.
    "If": ("Action", "Event:Add", "Event:Delete"),
    # It names asyncio's classes here by a wrong import.
    "Job": ("If", "Resource", "WaitForEvents", "AddEvents", "DeleteEvents", "Notify", "JobTag",
            "Action:CaptureOutput", "StepRange", "IfCollection"),
}  # fmt: skip

_SHAPES: Mapping[tuple[str, str], Shape] = {
    # A number of days, too; the metadata knows the word alone.
    ("Job", "DaysKeepActive"): TEXT,
    # A list of variables or a text: samples have both.
    ("Action:Run", "Variables"): ANY,
    # Texts, says the metadata; the samples have {name: value}.
    ("Job:Kubernetes", "Spec Request Parameters"): Shape("list", item=Shape("pairs")),
    # Bridge or Dummy of newer releases, true or false of older ones.
    ("SubFolder", "AdjustEvents"): TEXT,
    ("Folder", "AdjustEvents"): TEXT,
}

_REQUIRED: Mapping[str, tuple[str, ...]] = {
    # The client has them optional, but without them the object says nothing.
    "Action:Mail": ("To",),
    "Action:Run": ("Folder",),
    "Action:Set": ("Variable", "Value"),
    "Event:Add": ("Event",),
    "Event:Delete": ("Event",),
    "If:CompletionStatus": ("CompletionStatus",),
    "If:VariableValue": ("VariableName", "Operator"),
    "Job:FileTransfer": ("FileTransfers",),
    "Job:Database:SQLScript": ("ConnectionProfile", "SQLScript"),
    "Job:Database:EmbeddedQuery": ("ConnectionProfile", "Query"),
    "Job:FileWatcher:Create": ("Path",),
    "Job:SLAManagement": ("ServiceName",),
    "Resource:Lock": ("LockType",),
    "Resource:Pool": ("Quantity",),
}

_ITEMS = ("Commands", "Included", "Excluded")
"""Lists whose items differ in JSON: {"rm": "-f x"} for a text, a calendar's name for an object."""

_RECORDS: Mapping[str, tuple[str, ...]] = {
    # An event in a list may carry its place in the order of additions and deletions.
    "Event": ("Order",),
}

_MORE: Mapping[str, tuple[str, ...]] = {
    # Properties of the samples that the metadata leaves out.
    "ConnectionProfile": ("Centralized", "Description", "NoTestOnDeploy", "TargetAgent",
                          "TargetCTM"),
}  # fmt: skip

_EVERYWHERE = MappingProxyType({"Type": Property(TEXT), "Comment": Property(ANY)})


class Catalogue:
    """The types by their names, described when they are asked for."""

    def __init__(self, classes: Mapping[str, type], known: Mapping[str, ItemType]) -> None:
        """Take the client's classes by their types, and types that are described already."""
        self._classes = classes
        self._known: dict[str, ItemType] = dict(known)

    def find(self, name: str) -> ItemType | None:
        """Describe a type; None for a name that is not known."""
        if name not in self._known:
            described = self._describe(name)
            if described is None:
                return None
            self._known[name] = described
        return self._known[name]

    def extended(self, more: Iterable[ItemType]) -> Catalogue:
        """Return a catalogue that knows these types, too."""
        return Catalogue(self._classes, {**self._known, **{each.name: each for each in more}})

    def near(self, name: str) -> str | None:
        """Return the known type whose name is most like this one."""
        names = [known for known in (*self._classes, *self._known) if known not in _ABSTRACT]
        return next(iter(difflib.get_close_matches(name, names, 1)), None)

    def family(self, name: str) -> frozenset[str]:
        """Return the names of all properties in a family of types, such as Job or Job:Hadoop."""
        found: set[str] = set(_more(name)) | set(_EVERYWHERE)
        for known, cls in self._classes.items():
            if known == name or known.startswith(f"{name}:"):
                found |= {key for _, key in _fields(cls)}
        return frozenset(found)

    @cached_property
    def defaults(self) -> frozenset[str]:
        """Return the names that Defaults may give a value for every object."""
        families = ("Job", "Folder", "SubFolder", "ConnectionProfile", "Driver")
        return frozenset().union(*(self.family(family) for family in families))

    def abstract(self, name: str) -> bool:
        """Tell whether a name is a family and no type to write."""
        return name in _ABSTRACT

    def _describe(self, name: str) -> ItemType | None:
        for family in ("Job", "ConnectionProfile"):
            if name.startswith(f"{family}:ApplicationIntegrator:"):
                # A job type of somebody else's: its labels are not ours to know.
                base = self.find("Job:ApplicationIntegrator" if family == "Job" else family)
                assert base is not None
                return replace(base, name=name, free="AI-")
        if name not in self._classes:
            return None
        cls = self._classes[name]
        properties = dict(_EVERYWHERE) | {key: Property(TEXT) for key in _more(name)}
        properties |= _properties(cls)
        for (family, key), shape in _SHAPES.items():
            if key in properties and (name == family or name.startswith(f"{family}:")):
                properties[key] = replace(properties[key], shape=shape)
        for key in _REQUIRED.get(name, ()):
            properties[key] = replace(properties[key], required=True)
        return ItemType(name, properties, _children(name, cls))


def catalogue() -> Catalogue:
    """Read the client's metadata, which takes seconds; raises MissingClientError."""
    try:
        root = importlib.import_module("aapi.bases").AAPIObject
        importlib.import_module("aapi")
    except ImportError as error:
        raise MissingClientError(
            f"the vendor's client, whose metadata tells what Control-M takes, is missing ({error});"
            " install it: pip install 'ctm-python-client>=2.6.6' python-dateutil"
        ) from error
    classes: dict[str, type] = {}
    for cls in _subclasses(root):
        for name in _type_names(cls):
            classes.setdefault(name, cls)
    return Catalogue(classes, {})


def _subclasses(cls: type) -> Iterator[type]:
    child: type
    for child in cls.__subclasses__():
        yield child
        yield from _subclasses(child)


def _attributes(cls: type) -> tuple[Any, ...]:
    return getattr(cls, "__attrs_attrs__", ())


def _type_names(cls: type) -> Iterator[str]:
    for attribute in _attributes(cls):
        if "_type_aapi_" in attribute.metadata:
            yield attribute.metadata["_type_aapi_"]


def _fields(cls: type) -> Iterator[tuple[Any, str]]:
    """Yield the attributes that are properties in JSON, with their names there."""
    for attribute in _attributes(cls):
        name = attribute.metadata.get("_aapi_repr_")
        if name and "_type_aapi_" not in attribute.metadata:
            yield attribute, name


def _hints(cls: type) -> dict[str, Any]:
    """Return the types of a class's attributes; they name classes nested in it or its bases."""
    nested: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        nested |= vars(base)
    return typing.get_type_hints(cls, localns=nested)


@cache  # reading hints is slow, and classes are shared by many types
def _properties(cls: type) -> Mapping[str, Property]:
    hints = _hints(cls)
    return {
        name: Property(
            Shape("list", item=ANY) if name in _ITEMS else _shape(hints.get(attribute.name, Any)),
            required=attribute.init and attribute.default.__class__.__name__ == "_Nothing",
        )
        for attribute, name in _fields(cls)
    }


def _shape(hint: Any) -> Shape:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if hint is str:
        return TEXT
    if hint is bool:
        return Shape("flag")
    if hint in (int, float):
        return Shape("number")
    if origin is list:
        return Shape("list", item=_shape(inner[0]))
    if origin is dict:
        return Shape("pairs")
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        words = tuple(str(word.value) for word in hint)
        # The client writes var_ where any text may stand, a variable above all.
        return TEXT if "var_" in words else Shape("choice", words=words)
    if isinstance(hint, type) and _attributes(hint):
        if any("_abstract_aapi_container_" in a.metadata for a in _attributes(hint)):
            return ANY
        family = next(_type_names(hint), "").split(":")[0]
        more = {name: Property(TEXT) for name in _RECORDS.get(family, ())}
        return Shape("record", members={**_EVERYWHERE, **_properties(hint), **more})
    return ANY


def _children(name: str, cls: type) -> tuple[str, ...]:
    for family, known in _CHILDREN.items():
        if name == family or name.startswith(f"{family}:"):
            return known
    kinds: list[str] = []
    hints = _hints(cls)
    for attribute in _attributes(cls):
        if "_abstract_aapi_container_" in attribute.metadata:
            for held in typing.get_args(hints[attribute.name]):
                kinds += ["If" if kind == "IfBase" else kind for kind in _type_names(held)]
    return tuple(dict.fromkeys(kinds))


def _more(name: str) -> tuple[str, ...]:
    return _MORE.get(name.split(":")[0], ())
