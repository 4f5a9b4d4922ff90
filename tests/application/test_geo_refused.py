"""What the loader of geo files cannot load or reach is told, and stops nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from application.geo_load import main
from ctm.definition import load
from ctm.rehearse.conditions import Ending, holds
from ctm.rehearse.plan import If
from tests.application.geo_files import HEADER, put, row
from tests.application.loading import BUCKET, ROOT, Engines, assert_one_clear_line, called

pytest_plugins = ["tests.application.lake_fixtures"]


def test_a_refused_file_stops_no_other_and_changes_nothing(engines: Engines, store: Any) -> None:
    put(store, "Geo1.dat", "LON,LAT", "1,2")
    put(store, "Geo2.dat", HEADER, row("a"))
    ended = called(main, environment=engines.settings)
    assert ended.returncode == 4
    [line] = [line for line in ended.stderr.splitlines() if "error" in line]
    assert f"s3://{BUCKET}/Geo1.dat: its header lacks NUMBER" in line
    assert engines.rows("select ADDRESS_ID from ADDRESSES") == [("a",)]
    assert engines.rows("select STATUS from LOADS where SOURCE like '%Geo1.dat'") == [("failed",)]


def test_a_refused_file_is_told_again_until_it_is_another(engines: Engines, store: Any) -> None:
    put(store, "Geo1.dat", "LON,LAT", "1,2")
    assert called(main, environment=engines.settings).returncode == 4
    for _ in range(2):
        again = called(main, "--once", environment=engines.settings)
        assert again.returncode == 5
        assert again.stderr == (
            "geo_load: 1 file was refused before and has not changed: "
            f"s3://{BUCKET}/Geo1.dat; see REJECTS\n"
        )

    put(store, "Geo2.dat", "LON", "1")
    both = called(main, environment=engines.settings)
    assert both.returncode == 4
    refusal, before = both.stderr.splitlines()
    assert "Geo2.dat: its header lacks" in refusal
    assert "1 file was refused before" in before
    assert f"s3://{BUCKET}/Geo1.dat;" in before
    two = called(main, environment=engines.settings)
    assert two.returncode == 5
    assert "2 files were refused before and have not changed: " in two.stderr

    put(store, "Geo1.dat", HEADER, row("a"))
    store.delete_object(Bucket=BUCKET, Key="Geo2.dat")
    mended = called(main, environment=engines.settings)
    assert (mended.returncode, "refused" in mended.stderr) == (0, False)


@pytest.mark.parametrize("name", ["cust360", "cust360-os"])
def test_a_folder_goes_on_only_where_every_refusal_was_told_before(
    engines: Engines, store: Any, name: str
) -> None:
    content = load((ROOT / "ctm" / f"{name}.json").read_text(), name)
    job = next(each for each in content.values() if each.get("Type") == "Folder")["Geo-Load"]
    conditions = [
        If(each["Type"], each, ())
        for each in job.values()
        if isinstance(each, dict) and "Action:SetToOK" in str(each)
    ]

    def goes_on() -> bool:
        ended = called(main, "--once", environment=engines.settings)
        ending = Ending(ended.returncode == 0, ended.returncode, ended.stdout + ended.stderr)
        return ending.ok or any(holds(each, ending) for each in conditions)

    put(store, "Geo1.dat", "LON,LAT", "1,2")
    assert [goes_on(), goes_on()] == [False, True]
    put(store, "Geo2.dat", "LON", "1")
    assert [goes_on(), goes_on()] == [False, True]


def test_of_many_refused_files_the_first_are_named(engines: Engines, store: Any) -> None:
    for number in range(7):
        put(store, f"Geo{number}.dat", "no header")
    assert called(main, environment=engines.settings).returncode == 4
    [line] = called(main, environment=engines.settings).stderr.splitlines()
    assert "7 files were refused before and have not changed: " in line
    assert (line.count("s3://"), line[-16:]) == (5, ", …; see REJECTS")


@pytest.mark.parametrize(
    ("settings", "options", "code", "words"),
    [
        pytest.param({"SNOWFLAKE_USER": ""}, (), 2, ["SNOWFLAKE_USER is not set"], id="unset"),
        pytest.param({"SNOWFLAKE_PASSWORD": "no"}, (), 4, ["Incorrect username"], id="password"),
        pytest.param({}, ("--bucket", "not-there"), 4, ["not-there", "create it"], id="bucket"),
        pytest.param({}, ("--watch", "soon"), 2, ["'soon' is no number of seconds"], id="watch"),
        pytest.param({}, ("--often",), 2, ["--often", "see --help"], id="option"),
        pytest.param(
            {"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"},
            (),
            3,
            ["S3 bucket", "check the network"],
            id="nobody there",
        ),
        pytest.param(
            {"AWS_ENDPOINT_URL_S3": "where?"}, (), 2, ["check the AWS_ settings"], id="no URL"
        ),
    ],
)
def test_what_cannot_work_is_told_in_one_line(
    engines: Engines,
    settings: dict[str, str],
    options: Sequence[str],
    code: int,
    words: Sequence[str],
) -> None:
    ended = called(main, *options, environment={**engines.settings, **settings})
    assert_one_clear_line(ended, "geo_load: error: ", *words)
    assert ended.returncode == code


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        pytest.param({"SNOWFLAKE_USER": ""}, 2, id="bad settings"),
        pytest.param({"GEO_BUCKET": "not-there"}, 4, id="refused"),
        pytest.param(
            {"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"},
            3,
            id="nobody there",
        ),
    ],
)
def test_the_exit_code_tells_the_kind_of_error(
    engines: Engines, settings: dict[str, str], code: int
) -> None:
    ended = engines.command("geo_load", **settings)
    assert_one_clear_line(ended, "geo_load: error: ")
    assert ended.returncode == code


def test_without_credentials_the_advice_is_to_set_them(engines: Engines, tmp_path: Path) -> None:
    settings = {
        "AWS_ACCESS_KEY_ID": "",
        "AWS_SECRET_ACCESS_KEY": "",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
    }
    with mock.patch("boto3.DEFAULT_SESSION", None):
        ended = called(main, environment={**engines.settings, **settings})
    assert_one_clear_line(ended, "set AWS_ACCESS_KEY_ID")
    assert ended.returncode == 2


def test_a_missing_table_is_told_and_leaves_the_rest(engines: Engines, store: Any) -> None:
    put(store, "Geo1.dat", HEADER, row("a"))
    engines.rows("alter table GEO_STAGE rename to ELSEWHERE")
    try:
        ended = called(main, environment=engines.settings)
    finally:
        engines.rows("alter table ELSEWHERE rename to GEO_STAGE")
    assert_one_clear_line(ended, "GEO_STAGE", "python -m application.lake")
    assert ended.returncode == 4
    assert engines.rows("select count(*) from ADDRESSES") == [(0,)]
    # Nothing is in the way of the next run.
    assert called(main, environment=engines.settings).returncode == 0
    assert engines.rows("select count(*) from ADDRESSES") == [(1,)]
