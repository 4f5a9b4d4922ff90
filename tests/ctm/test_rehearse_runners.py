"""The runners that speak to an engine, each with the embedded one."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest

from ctm.rehearse.engines import Stage
from ctm.rehearse.profile import mapped
from ctm.rehearse.runners import database, transfer
from ctm.rehearse.task import Task
from ctm.rehearse.variables import expanded
from misc.engines import s3, snowflake

BUCKET = "cust360-geo"


class Made:
    """Makes tasks on a stage whose agent's folder is a temporary one."""

    def __init__(self, tmp_path: Path, settings: Mapping[str, str]) -> None:
        self.here = tmp_path / "here"
        environment = {**os.environ, **settings}
        paths = {"/opt/agent": str(self.here)}
        self._stage = Stage(tmp_path, environment, paths, tmp_path, minute=1)
        self._log = tmp_path / "job.log"

    def task(self, **properties: Any) -> Task:
        return Task("job", "Job", properties, self._stage, self._log, {}, {})


@pytest.fixture(scope="module")
def store() -> Iterator[dict[str, str]]:
    with s3.embedded([BUCKET]) as settings:
        yield settings


@pytest.fixture(scope="module")
def lake() -> Iterator[dict[str, str]]:
    with snowflake.embedded() as settings:
        yield settings


@pytest.fixture
def bucket(store: dict[str, str]) -> Iterator[Any]:
    client = boto3.client(
        "s3",
        endpoint_url=store["AWS_ENDPOINT_URL_S3"],
        region_name=store["AWS_REGION"],
        aws_access_key_id="embedded",
        aws_secret_access_key="embedded",
    )
    yield client
    for entry in client.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        client.delete_object(Bucket=BUCKET, Key=entry["Key"])


def pull(**entry: Any) -> dict[str, Any]:
    watch = {"TimeLimitPolicy": "MinutesToWait", "TimeLimitValue": "30", **entry.pop("watch", {})}
    told = {"Src": "Geo*.dat", "Dest": "/opt/agent/", "TransferOption": "SrcToDestFileWatcher"}
    return {
        "S3BucketName": BUCKET,
        "FileTransfers": [{**told, "FileWatcherOptions": watch, **entry}],
    }


def test_the_watcher_waits_for_the_file_and_names_it(
    tmp_path: Path, store: dict[str, str], bucket: Any
) -> None:
    made = Made(tmp_path, store)
    task = made.task(
        **pull(watch={"AssignFileNameToVariable": "NAME", "MinDetectedSizeInBytes": "3"})
    )
    bucket.put_object(Bucket=BUCKET, Key="Geo-small.dat", Body=b"12")
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(transfer.transfer(task)))
    thread.start()
    bucket.put_object(Bucket=BUCKET, Key="Geo-1.dat", Body=b"12345")
    thread.join(30)
    assert found[0].ok
    assert found[0].values == {"NAME": "Geo-1.dat"}
    assert [path.name for path in made.here.iterdir()] == ["Geo-1.dat"]
    assert (made.here / "Geo-1.dat").read_bytes() == b"12345"


def test_all_that_match_are_pulled_and_the_rest_is_not(
    tmp_path: Path, store: dict[str, str], bucket: Any
) -> None:
    for key in ("Geo-1.dat", "Geo-2.dat", "Other.dat", "Geo-3.csv"):
        bucket.put_object(Bucket=BUCKET, Key=key, Body=b"x")
    made = Made(tmp_path, store)
    assert transfer.transfer(made.task(**pull(TransferOption="SrcToDest"))).ok
    assert sorted(path.name for path in made.here.iterdir()) == ["Geo-1.dat", "Geo-2.dat"]


def test_a_file_that_does_not_come_fails_the_job(
    tmp_path: Path, store: dict[str, str], bucket: Any
) -> None:
    del bucket
    task = Made(tmp_path, store).task(**pull(watch={"TimeLimitValue": "1"}))
    assert not transfer.transfer(task).ok
    assert "s3://cust360-geo/Geo*.dat: no such file came" in task.output()


def test_a_stopped_watcher_ends(tmp_path: Path, store: dict[str, str], bucket: Any) -> None:
    del bucket
    task = Made(tmp_path, store).task(**pull())
    task.stop()
    assert not transfer.transfer(task).ok


def test_an_absent_bucket_is_told_in_one_line(tmp_path: Path, store: dict[str, str]) -> None:
    task = Made(tmp_path, store).task(**{**pull(), "S3BucketName": "nowhere"})
    assert not transfer.transfer(task).ok
    assert "NoSuchBucket" in task.output()
    assert len(task.output().splitlines()) == 1


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"TransferOption": "DestToSrc"}, "DestToSrc cannot be rehearsed"),
        ({"FileWatcherOptions": {"MinFileAge": "soon"}}, "MinFileAge 'soon' is not as 3Min"),
    ],
)
def test_a_transfer_that_cannot_be_done_is_known_before(entry: dict[str, Any], says: str) -> None:
    profiles = {"A": {"Type": transfer.S3 + ":Amazon"}, "B": {"Type": transfer.LOCAL}}
    told = {"ConnectionProfileSrc": "A", "ConnectionProfileDest": "B"}
    transfer.check({**told, **pull()}, profiles)
    with pytest.raises(ValueError, match=says):
        transfer.check({**told, "FileTransfers": [entry]}, profiles)
    with pytest.raises(ValueError, match="from S3 to local"):
        transfer.check({**told, **pull(), "ConnectionProfileSrc": "B"}, profiles)


def test_a_script_is_run_with_its_parameters(tmp_path: Path, lake: dict[str, str]) -> None:
    made = Made(tmp_path, lake)
    made.here.mkdir()
    (made.here / "s.sql").write_text(
        "-- a note; with a semicolon\ncreate or replace table T (NAME varchar, N int);\n"
        "insert into T values (:who, :n);\nselect NAME, N from T;\n",
        encoding="utf-8",
    )
    parameters = [{"who": "O'Neil"}, {"n": "7"}]
    task = made.task(SQLScript="/opt/agent/s.sql", Parameters=parameters)
    assert database.script(task).ok, task.output()
    assert task.output().splitlines()[-2:] == ["NAME    N", "O'Neil  7"]


def test_a_query_can_answer_in_csv(tmp_path: Path, lake: dict[str, str]) -> None:
    task = Made(tmp_path, lake).task(Query="select 1 as A, 'x,y' as B", SQLOutputFormat="CSV")
    assert database.query(task).ok
    assert task.output() == 'A,B\n1,"x,y"\n'


def test_a_wrong_statement_fails_with_the_warehouses_words(
    tmp_path: Path, lake: dict[str, str]
) -> None:
    task = Made(tmp_path, lake).task(Query="select * from NOWHERE")
    assert not database.query(task).ok
    assert "NOWHERE" in task.output()
    assert lake["SNOWFLAKE_PASSWORD"] not in task.output()


def test_without_a_login_the_job_says_what_to_set(tmp_path: Path) -> None:
    settings = {"SNOWFLAKE_ACCOUNT": "a", "SNOWFLAKE_PASSWORD": "", "SNOWFLAKE_TOKEN": ""}
    task = Made(tmp_path, settings).task(Query="select 1")
    assert not database.query(task).ok
    assert "set SNOWFLAKE_PRIVATE_KEY_FILE" in task.output()


def test_a_job_that_is_stopped_starts_nothing_more(tmp_path: Path) -> None:
    task = Made(tmp_path, {}).task()
    task.terminate()
    assert task.shell("touch /nonexistent/file") == -signal.SIGTERM
    assert task.output() == ""


def test_what_a_job_leaves_running_is_known_until_it_ends(tmp_path: Path) -> None:
    task = Made(tmp_path, {}).task()
    assert task.shell("sleep 1000 &") == 0
    assert task.forget_ended()
    task.terminate()
    deadline = time.monotonic() + 10
    while task.forget_ended():
        assert time.monotonic() < deadline


@pytest.mark.parametrize(
    ("text", "here"),
    [
        ("python3 /opt/a/x.py --in /opt/a", "python3 /here/x.py --in /here"),
        ('"/opt/a/b";/opt/a/c', '"/there";/here/c'),
        ("/opt/ab /usr/opt/a x/opt/a", "/opt/ab /usr/opt/a x/opt/a"),
        ("cd '/opt/a/b'", "cd '/there'"),
    ],
)
def test_an_agents_folder_is_found_where_it_is_one(text: str, here: str) -> None:
    assert mapped(text, {"/opt/a/": "/here", "/opt/a/b": "/there/"}) == here


def test_variables_are_replaced_wherever_text_is() -> None:
    told = {"Command": "echo %%A %%B.x %%$ODATE 100%%", "Arguments": ["%%A", 1]}
    given = {"A": "1", "$ODATE": "20261125"}
    assert expanded(told, given) == {
        "Command": "echo 1 %%B.x 20261125 100%%",
        "Arguments": ["1", 1],
    }
