"""The command as a user runs it: a real process, a real client, embedded engines."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import pythonapp
from misc.engines import kafka
from misc.engines import x as engine
from pythonapp.cli import main, seconds
from tests.engines.waiting import free_port, until
from tests.pythonapp.engines import bodies, ids, ran, stand_in, started, topic_of, x_of
from tests.pythonapp.scenes import line, post

NewTopic = Callable[[], str]
FOLDER = Path(pythonapp.__file__).parent
QUADRANT = (FOLDER / "ctne.yaml").read_text(encoding="utf-8")
DEAD = "tweets-dead-letters"


class Place:
    """A broker, a topic of its own, and posts to replay."""

    def __init__(self, broker: kafka.Broker, topic: str, folder: Path) -> None:
        self.servers = broker.settings["KAFKA_BOOTSTRAP_SERVERS"]
        self.topic = topic
        self.folder = folder
        self.environment = {**broker.settings, "KAFKA_TOPIC": topic}
        self.file = folder / "posts.jsonl"

    def write(self, count: int) -> set[str]:
        posts = [post(number) for number in range(count)]
        self.file.write_text("".join(map(line, posts)), encoding="utf-8")
        return {each["data"]["id"] for each in posts}

    def ids(self) -> set[str]:
        return ids(topic_of(self.servers, self.topic))


@pytest.fixture
def place(broker: kafka.Broker, new_topic: NewTopic, tmp_path: Path) -> Place:
    return Place(broker, new_topic(), tmp_path)


def test_a_replay_by_path_from_another_folder(place: Place) -> None:
    wanted = place.write(100)
    code, out, err = ran(["ctne.yaml", "--file", str(place.file)], place.environment, place.folder)
    assert (code, err) == (0, "")
    assert place.ids() == wanted
    assert out.startswith("bmctwitter ctne: 100 posts read in ")
    assert "100 accepted, 0 rejected; 100 messages delivered, 0 not delivered" in out


def test_a_file_in_this_folder_comes_before_the_one_that_is_delivered(place: Place) -> None:
    place.write(1)
    (place.folder / "ctne.yaml").write_text(QUADRANT + "quadrant: mine\n", encoding="utf-8")
    assert (
        ran(
            ["--file", str(place.file)], {**place.environment, "BTCONF": "ctne.yaml"}, place.folder
        )[0]
        == 0
    )
    assert [each["quadrant"] for each in bodies(topic_of(place.servers, place.topic))] == ["mine"]


def test_the_module_runs_too() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "pythonapp", "-h"], capture_output=True, text=True, check=True
    )
    assert "--until-idle" in told.stdout
    assert "BTCONF" in told.stdout


def test_malformed_posts_are_dead_letters_with_their_reason(place: Place) -> None:
    place.file.write_text("{broken\n" + line(post(1, text=None)) + line(post(2)), encoding="utf-8")
    before = len(topic_of(place.servers, DEAD))
    code, out, _ = ran(["ctne.yaml", "--file", str(place.file)], place.environment, place.folder)
    assert code == 0
    assert "1 accepted, 2 rejected (kept in tweets-dead-letters: 1x it is no JSON" in out
    dead = topic_of(place.servers, DEAD)[before:]
    assert [dict(each.headers())["reason"] for each in dead] == [
        b"it is no JSON object",
        b"it has no text",
    ]
    assert dead[0].value() == b"{broken\n"
    assert len(place.ids()) == 1


def test_sigterm_flushes_and_ends_0_and_the_next_run_goes_on(place: Place) -> None:
    wanted = place.write(2_000)
    arguments = ["ctne.yaml", "--file", str(place.file)]
    with started([*arguments, "--rate", "500"], place.environment, place.folder) as process:
        until(lambda: topic_of(place.servers, place.topic))
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, "")
    first = len(topic_of(place.servers, place.topic))
    assert f"{first:,} messages delivered, 0 not delivered" in out
    assert 0 < first < 2_000
    assert ran(arguments, place.environment, place.folder)[0] == 0
    messages = topic_of(place.servers, place.topic)
    assert ids(messages) == wanted
    assert len(messages) == 2_000


def test_kill_9_loses_nothing(place: Place) -> None:
    wanted = place.write(6_000)
    arguments = ["ctne.yaml", "--file", str(place.file)]
    with started([*arguments, "--rate", "1000"], place.environment, place.folder) as process:
        until(lambda: len(topic_of(place.servers, place.topic)) > 2_500)
        process.kill()
    assert ran(arguments, place.environment, place.folder)[0] == 0
    messages = topic_of(place.servers, place.topic)
    assert ids(messages) == wanted
    # It went on where it had saved, not from the beginning.
    assert len(messages) < 6_000 + 2_500


def test_a_broker_that_goes_away_ends_3_with_the_count(place: Place) -> None:
    place.write(2_000)
    with kafka.broker({"tweets": 4, DEAD: 1}) as own:
        arguments = ["ctne.yaml", "--file", str(place.file), "--rate", "500", "--budget", "2"]
        servers = own.settings["KAFKA_BOOTSTRAP_SERVERS"]
        with started(arguments, own.settings, place.folder) as process:
            until(lambda: topic_of(servers, "tweets"))
            own.down()
            out, err = process.communicate(timeout=60)
        assert process.returncode == 3
        assert "messages were not delivered" in err
        assert err.count("\n") == 1
        assert ", 0 not delivered" not in out
        own.up()
        assert ran(arguments[:3], own.settings, place.folder)[0] == 0
        assert len(ids(topic_of(servers, "tweets"))) == 2_000


def test_a_second_ctrl_c_ends_at_once(place: Place) -> None:
    place.write(100)
    with kafka.broker({"tweets": 4, DEAD: 1}) as own:
        arguments = ["ctne.yaml", "--file", str(place.file), "--rate", "50"]
        servers = own.settings["KAFKA_BOOTSTRAP_SERVERS"]
        with started(arguments, own.settings, place.folder) as process:
            until(lambda: topic_of(servers, "tweets"))
            own.down()
            process.send_signal(signal.SIGINT)
            timer = threading.Timer(0.5, process.send_signal, [signal.SIGINT])
            timer.start()
            process.communicate(timeout=20)
        assert process.returncode == 130


@pytest.fixture(scope="module")
def x_world() -> Iterator[dict[str, str]]:
    posts = [post(number, age=10_000 - number) for number in range(150)]
    posts += [post(number, age=5_000 - number, quadrant="ctsw") for number in range(20)]
    with engine.embedded(posts) as environment:
        yield environment


def test_a_search_job_ends_when_there_is_no_more_and_goes_on_later(
    place: Place, x_world: dict[str, str]
) -> None:
    environment = {**place.environment, **x_world}
    arguments = ["ctne.yaml", "--until-idle", "0"]
    assert ran(arguments, environment, place.folder)[0] == 0
    assert len(topic_of(place.servers, place.topic)) == 150
    code, out, _ = ran(arguments, environment, place.folder)
    assert code == 0
    assert "0 posts read" in out
    assert len(topic_of(place.servers, place.topic)) == 150


def test_a_search_in_this_process(
    place: Place,
    x_world: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in {**place.environment, **x_world}.items():
        monkeypatch.setenv(name, value)
    before = signal.getsignal(signal.SIGTERM)
    assert main(["ctsw.yaml", "--source", "search", "--until-idle", "0"]) == 0
    assert signal.getsignal(signal.SIGTERM) is before
    assert "20 posts read" in capsys.readouterr().out
    assert len(place.ids()) == 20


def test_a_stream_in_this_process_ends_by_itself_when_idle(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with engine.embedded([post(1)]) as environment:
        for name, value in {**place.environment, **environment}.items():
            monkeypatch.setenv(name, value)
        assert main(["ctne.yaml", "--source", "stream", "--until-idle", "1"]) == 0
    assert "1 posts read" in capsys.readouterr().out
    assert len(place.ids()) == 1


def test_the_replay_of_a_file_can_be_told_to_the_yaml(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place.write(30)
    for name, value in place.environment.items():
        monkeypatch.setenv(name, value)
    path = place.folder / "ctne.yaml"
    replay = f"source: {{kind: replay, file: {place.file}}}\n"
    path.write_text(QUADRANT.replace("source: search\n", replay), encoding="utf-8")
    assert main([str(path), "--limit", "10", "--rate", "1000"]) == 0
    assert "10 posts read" in capsys.readouterr().out
    assert main([str(path)]) == 0
    assert "20 posts read" in capsys.readouterr().out
    assert len(place.ids()) == 30


def test_one_reader_serves_several_quadrants_by_one_connection(place: Place) -> None:
    with engine.embedded() as environment:
        x = x_of(environment)
        arguments = ["ctne.yaml", "ctsw.yaml", "--source", "stream", "--limit", "2"]
        with started(arguments, {**place.environment, **environment}, place.folder) as process:
            until(lambda: stand_in(x, "counts")["open"])
            stand_in(x, "posts", [post(1), post(2, quadrant="ctnw"), post(3, quadrant="ctsw")])
            process.communicate(timeout=30)
        assert process.returncode == 0
        assert stand_in(x, "counts")["connected"] == 1
    found = {each["quadrant"]: each for each in bodies(topic_of(place.servers, place.topic))}
    assert sorted(found) == ["ctne", "ctsw"]
    assert {each["source"] for each in found.values()} == {"stream"}


def test_sigterm_ends_a_quiet_stream(place: Place) -> None:
    with engine.embedded() as environment:
        x = x_of(environment)
        arguments = ["ctne.yaml", "--source", "stream"]
        with started(arguments, {**place.environment, **environment}, place.folder) as process:
            until(lambda: stand_in(x, "counts")["open"])
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=20)
        assert (process.returncode, err) == (0, "")
        assert "0 posts read" in out


# -- bad input -----------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Give the commands below an environment without engines."""
    for name in ("BTCONF", "X_BEARER_TOKEN", "KAFKA_BOOTSTRAP_SERVERS", "KAFKA_TOPIC"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SECRETS", str(tmp_path))


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = main(arguments)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("bmctwitter: error: ")
    assert err.count("\n") == 1
    return code, err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "set BTCONF"),
        (["nowhere.yaml"], "nowhere.yaml: no such file, neither here nor in "),
        (["ctne.yaml", "ctne.yaml"], "two files are of the same quadrant"),
        (["ctne.yaml", "ct.yaml"], "ct.yaml: one reader has one source, and ctne.yaml has another"),
        (["ctne.yaml", "--rate", "5"], "--rate is for a replay, and the source is search"),
        (["ctne.yaml", "--source", "replay"], "replay needs its file"),
        (["ctne.yaml"], "KAFKA_BOOTSTRAP_SERVERS is not set"),
    ],
)
def test_a_mistake_in_the_line_is_one_line(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, err = refused(arguments, capsys)
    assert code == 2
    assert words in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--limit", "0"], "--limit 0: it takes a whole number of posts, 1 or more"),
        (["--rate", "fast"], "--rate fast: it takes a number of posts a second"),
        (["--until-idle", "-1"], "--until-idle -1: a time is a number with s, m, h or d, as 5m"),
        (["--until-idle", "5min"], "--until-idle 5min: a time is"),
        (["--budget", "soon"], "--budget soon: a time is"),
        (["--source", "poll"], "argument --source: invalid choice: 'poll'"),
        (["--x"], "unrecognized arguments: --x; -h lists the options"),
        (["--limit"], "argument --limit: expected one argument; -h lists the options"),
    ],
)
def test_a_wrong_option_is_refused_by_its_name(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, err = refused(["ctne.yaml", *arguments], capsys)
    assert code == 2
    assert words in err


@pytest.mark.parametrize(
    ("text", "span"),
    [("0", 0), ("60", 60), ("0.3", 0.3), ("90s", 90), ("5m", 300), ("1h", 3600), ("1d", 86_400)],
)
def test_a_time_has_its_unit(text: str, span: float) -> None:
    assert seconds("--until-idle", text) == span


def test_a_broken_yaml_names_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "ctne.yaml"
    path.write_text(QUADRANT + "a: [1\n", encoding="utf-8")
    assert refused([str(path)], capsys)[0] == 2
    path.write_bytes(b"\xff\xfe")
    code, err = refused([str(path)], capsys)
    assert code == 2
    assert "not UTF-8 at byte 0" in err


def test_no_token_is_told_before_anything_is_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", f"127.0.0.1:{free_port()}")
    code, err = refused(["ctne.yaml"], capsys)
    assert code == 2
    assert "X_BEARER_TOKEN is not set" in err


def test_an_unreachable_broker_ends_3(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", f"127.0.0.1:{free_port()}")
    arguments = ["ctne.yaml", "--file", str(tmp_path / "posts"), "--budget", "0.3"]
    code, err = refused(arguments, capsys)
    assert code == 3
    assert "gave no answer for 0.3 seconds" in err


def test_a_missing_topic_ends_4(
    broker: kafka.Broker, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {**broker.settings, "KAFKA_TOPIC": "nowhere"}.items():
        monkeypatch.setenv(name, value)
    code, err = refused(["ctne.yaml", "--file", "posts"], capsys)
    assert code == 4
    assert "there is no topic 'nowhere'" in err


def test_an_error_before_the_first_post_is_all_that_is_told(place: Place) -> None:
    code, out, err = ran(["ctne.yaml", "--file", "nowhere"], place.environment, place.folder)
    assert (code, out) == (2, "")
    assert err == "bmctwitter: error: replay: nowhere cannot be read (No such file or directory)\n"


def test_the_token_is_in_no_output(place: Place) -> None:
    secret = "AAAAtopsecret"
    with engine.embedded() as environment:
        wrong = {**place.environment, **environment, "X_BEARER_TOKEN": secret}
        code, out, err = ran(["ctne.yaml", "--until-idle", "0"], wrong, place.folder)
    assert code == 4
    assert "401" in err
    assert secret not in out + err
