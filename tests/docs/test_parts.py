"""What is made from the code says what the code has."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from docs.parts import lake, layers, pipeline, schema, usage, workflow
from docs.parts.graph import Box, Graph, columns, direct, ranks
from docs.parts.markdown import table
from tests.docs.pages import ROOT


def graph(arrows: str) -> Graph:
    pairs = [(pair[0], pair[1]) for pair in arrows.split()]
    return Graph(tuple(map(Box, sorted(set("".join(arrows.split()))))), dict.fromkeys(pairs, ""))


def test_a_box_stands_behind_the_last_that_leads_to_it() -> None:
    assert ranks(graph("ab bc ac cd")) == {"a": 0, "b": 1, "c": 2, "d": 3}


def test_a_circle_is_refused() -> None:
    with pytest.raises(ValueError, match="circle"):
        ranks(graph("ab bc ca"))


def test_an_arrow_that_a_longer_way_tells_is_left_out() -> None:
    assert set(direct(graph("ab bc ac")).arrows) == {("a", "b"), ("b", "c")}


def test_an_arrow_of_failure_stays_beside_the_longer_way() -> None:
    arrows = {("a", "b"): "", ("b", "c"): "", ("a", "c"): "failed"}
    assert direct(Graph((Box("a"), Box("b"), Box("c")), arrows)).arrows == arrows


def test_a_long_arrow_has_a_place_in_each_column_that_it_passes() -> None:
    found = columns(Graph(tuple(map(Box, "abc")), {("a", "b"): "", ("b", "c"): "", ("a", "c"): ""}))
    assert found == [["a"], ["b", "a>c"], ["c"]]


FOLDER = {
    "Type": "Folder",
    "A": {"Type": "Job:Command", "Added": {"Type": "AddEvents", "Events": [{"Event": "E"}]}},
    "B": {
        "Type": "Job:Command",
        "Waits": {"Type": "WaitForEvents", "Events": ["(", {"Event": "E"}, ")"]},
        "Added": {"Type": "AddEvents", "Events": [{"Event": "F"}]},
        "If": {
            "Type": "If:CompletionStatus",
            "CompletionStatus": "NOTOK",
            "Added": {"Type": "Event:Add", "Event": "F"},
            "Gone": {"Type": "Event:Delete", "Event": "E"},
        },
    },
    "C": {"Type": "Job:Command", "Waits": {"Type": "WaitForEvents", "Events": [{"Event": "F"}]}},
    "D": {"Type": "Job:Command"},
    "Flow": {"Type": "Flow", "Sequence": ["C", "D"]},
}


def test_jobs_wait_by_events_and_by_flows() -> None:
    read = workflow.read(FOLDER)
    assert read.arrows == {("A", "B"): "", ("B", "C"): "any", ("C", "D"): ""}


def test_the_picture_of_the_workflow_has_every_job_of_the_folder() -> None:
    path = ROOT / "ctm" / "cust360.json"
    [folder] = [
        each for each in json.loads(path.read_text()).values() if each.get("Type") == "Folder"
    ]
    jobs = {name for name, each in folder.items()
            if isinstance(each, dict) and str(each.get("Type")).startswith("Job:")}  # fmt: skip
    drawn = set(re.findall(r">([\w-]+)</text>", workflow.drawn(path)))
    assert jobs <= drawn


def test_the_layers_are_those_of_the_import_contract() -> None:
    found = layers.read(ROOT, "runjob")
    assert {"errors", "values", "version"} <= set(found[-1])
    named = {name for layer in found for name in layer}
    modules = {path.stem for path in (ROOT / "runjob").glob("*.py")} - {"__init__"}
    assert modules <= named


def test_every_module_is_told_of_with_its_sentence() -> None:
    rows = layers.modules(ROOT, "runjob").splitlines()[2:]
    assert rows
    assert not [row for row in rows if row.endswith("|  |")]


def test_a_table_of_the_lake_is_told_with_its_columns_and_a_view_with_what_it_reads(
    tmp_path: Path,
) -> None:
    (tmp_path / "1.sql").write_text(
        "-- Of dogs.\ncreate table if not exists DOGS (\n    NAME varchar not null,\n"
        "    primary key (NAME)\n);\n\n-- Those that bark. Loud.\ncreate or replace view LOUD as\n"
        "select * from DOGS d join CATS c on true;\n"
    )
    assert lake.relations(tmp_path) == (
        lake.Relation("DOGS", "table", ("NAME",), (), "Of dogs."),
        lake.Relation("LOUD", "view", (), ("DOGS", "CATS"), "Those that bark."),
    )


def test_every_relation_of_the_lakes_files_is_told_of() -> None:
    folder = ROOT / "application" / "sql"
    text = "".join(path.read_text("utf-8") for path in folder.glob("*.sql"))
    made = set(re.findall(r"^create .*?(?:table|view|stage)(?: if not exists)? (\w+)", text, re.M))
    known = {each.name: each for each in lake.relations(folder)}
    assert set(known) == made
    for each in known.values():
        assert each.kind != "view" or set(each.reads) <= made, each
        assert each.kind == "stage" or each.columns or each.reads


def test_the_way_of_a_post_counts_the_jobs_that_are_shipped() -> None:
    files = [path.name for path in (ROOT / "k8s" / "jobs").glob("*-*.yaml")]
    for kind in ("bmctwitter", "kafkasnowflake"):
        number = sum(name.startswith(kind) for name in files)
        assert re.search(rf">{kind} \({number} Jobs\)<", pipeline.drawn(ROOT), re.I)


def test_the_consumer_is_drawn_with_the_tables_that_it_matches_by() -> None:
    drawn = pipeline.drawn(ROOT)
    for table_of_the_lake in ("ADDRESSES", "CUSTOMERS", "PORTFOLIOS"):
        assert f"{table_of_the_lake} leads to KafkaSnowflake" in drawn


def test_what_is_no_post_goes_its_own_way_from_producer_and_consumer() -> None:
    drawn = pipeline.drawn(ROOT)
    assert re.search(r"bmctwitter \(\d Jobs\) leads to tweets-dead-letters", drawn)
    assert drawn.count('class="arrow any"') == 2


def test_a_schema_is_told_by_the_paths_of_its_fields() -> None:
    told = schema.fields(
        {
            "required": ["a"],
            "properties": {
                "a": {"type": "object", "properties": {"b": {"type": "string"}}},
                "c": {"type": "array", "items": {"properties": {"d": {"enum": ["x", "y"]}}}},
            },
        }
    )
    assert [row.split(" | ")[:2] for row in told.splitlines()[2:]] == [
        ["| `a`", "object"],
        ["| `a.b`", "string, optional"],
        ["| `c`", "array, optional"],
        ["| `c[].d`", "`x`, `y`, optional"],
    ]  # fmt: skip


def test_a_cell_keeps_its_bars() -> None:
    assert table(["a"], [["x|y\nz"]]).splitlines()[2] == "| x\\|y z |"


def test_a_command_that_fails_is_no_help_text() -> None:
    with pytest.raises(ValueError, match="ended with 2"):
        usage.told("python -m application.lake --nonsense", "python3", ROOT)
