"""No secret is shown, and what is none is shown as it is."""

from __future__ import annotations

import io
import json
import string
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runjob import cli
from runjob.console import Console
from runjob.diagnosis import Failure
from runjob.endings import Ending
from runjob.errors import Exit, UsageError
from runjob.flags import parse
from runjob.masking import SHORTEST, is_secret, masked, masked_text, masked_words, without
from runjob.options import Options
from runjob.plan import in_effect, plan, secrets_given, shown
from runjob.report import report, without_secrets
from runjob.result import as_json
from runjob.verdict import verdict


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mysql -psesame db", "mysql -p**** db"),
        ("mysqldump -h db -psesame", "mysqldump -h db -p****"),
        ("curl -u joe:sesame https://x", "curl -u joe:**** https://x"),
        ("app --password sesame -x", "app --password **** -x"),
        ("app --db-password=sesame -x", "app --db-password=**** -x"),
        ("app --api-key 'two words' -x", "app --api-key **** -x"),
        ("export DB_PASS=sesame; run", "export DB_PASS=****; run"),
        ('{"token": "a b", "x": 1}', '{"token": ****, "x": 1}'),
        ("postgres://joe:p/w@db:5432/x", "postgres://joe:****@db:5432/x"),
        ("https://:only@host/", "https://:****@host/"),
        ("Authorization: Bearer abc12345.x", "Authorization: Bearer ****"),
        ("Authorization: token 0123abcd", "Authorization: token ****"),
        ("x eyJhbGciOi.eyJzdWIiOi.sig_x y", "x **** y"),
        ("-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY----- z", "**** z"),
        ("-----BEGIN PRIVATE KEY-----\nabc", "****"),
        ("AKIAIOSFODNN7EXAMPLE", "****"),
        ("ghp_0123456789abcdef glpat-0123456789abc xoxb-0123456789-a", "**** **** ****"),
        ("my_secret (0123456789abcdef01234567)", "my_secret (****)"),
        ("Authorization: Basic dXNlcjpwYXNz", "Authorization: Basic ****"),
        ('{"authorization": "sesame"}', '{"authorization": "****"}'),
        (r'{"token": "a\"b", "x": 1}', '{"token": ****, "x": 1}'),
        ("https://x.example/c?v=2&sig=abc%2Fdef%3D&w=1", "https://x.example/c?v=2&sig=****&w=1"),
        ("jdbc:oracle:thin:scott/tiger@//h:1521/x", "jdbc:oracle:thin:scott/****@//h:1521/x"),
        ("https://hooks.slack.com/services/T00/B00/xyz", "https://hooks.slack.com/services/****"),
        ("sshpass -p sesame ssh h", "sshpass -p **** ssh h"),
        ("sk-0123456789abcdef", "****"),
    ],
)
def test_what_looks_like_a_secret_is_hidden(text: str, expected: str) -> None:
    assert masked_text(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "10", "-5", "true", "2026-01-31", "2026-01-31T12:00:00Z", "12:30", "/etc/runjob/secrets/x",
        "registry.example:5000/team/app:1.4@sha256:0123456789abcdef0123456789abcdef",
        "http://host:8080/path@v1", "https://host/x?page=2", "kafka-0.k:9092,kafka-1.k:9092",
        "app --token-file /x --password-file=/y", "echo SECRET_NAME=db", "mkdir -p /tmp/x",
        "ssh -p 22 host", "sort -k 2 -t : x", "a token exchange", "basic authentication first",
        "passes=3", "compass=north", "token_ttl=10", "Keep off the grass", "joe@example.org",
        "echo $PASSWORD", "0123456789abcdef0123456789abcdef", "üöä",
    ],
)  # fmt: skip
def test_what_is_no_secret_is_shown(text: str) -> None:
    assert masked("LOOPCTR", text) == text
    assert masked_words(text.split(" ")) == text


def test_a_word_of_a_command_is_hidden_to_its_end() -> None:
    assert masked_words(["app", "--password=two words", "-x"]) == "app --password=**** -x"
    script = "app --password=sesame run"
    assert masked_words(["sh", "-c", script]) == "sh -c app --password=**** run"


def test_a_value_is_hidden_by_its_name() -> None:
    names = ("DB_PASSWORD", "x-auth", "ApiKey", "DB_PW", "LOOPCTR")
    assert [is_secret(name) for name in names] == [True, True, True, True, False]
    assert masked("DB_PASSWORD", "sesame") == "****"


def test_a_word_after_an_option_that_takes_a_secret_is_hidden_whole() -> None:
    assert masked_words(["a", "--password", "two words", "--token-file", "/x"]) == (
        "a --password **** --token-file /x"
    )
    assert masked_words(["a", "--token", "--verbose"]) == "a --token --verbose"
    assert masked_words(["a", "--token", "--log-level=low"]) == "a --token --log-level=low"


@pytest.mark.parametrize("secret", ["-x", "-Zq3=", "--S3same", "---", "-"])
def test_a_secret_that_begins_with_a_dash_is_hidden_too(secret: str) -> None:
    """An option that takes a value takes it whatever it looks like."""
    assert masked_words(["a", "--password", secret, "b"]) == "a --password **** b"
    assert masked_words(["sh", "-c", f"a --password {secret} b"]) == "sh -c a --password **** b"


def test_known_secrets_are_hidden_as_they_are_and_as_they_are_quoted() -> None:
    text = "no 'se\\'sa\"me' and se'sa\"me and abc"
    assert without(text, ["se'sa\"me", "abc"]) == "no '****' and **** and abc"
    assert without("one two three", ["one  two\nthree"]) == "****"
    assert without("longer and long", ["longer", "longer and"]) == "**** long"


@pytest.mark.parametrize(
    "text",
    [
        "a-" * 5000,
        "a://b:" * 5000,
        "mysql " * 5000,
        "pass=" * 5000,
        "eyJaaaaaa." * 5000,
        '"' * 9999,
    ],
)
def test_a_long_text_is_looked_through(text: str) -> None:
    masked_text(text)


# -- the law: a secret that was given is never shown ----------------------------------------------

SECRETS = st.text(
    string.ascii_letters + string.digits + "'\"\\/?#:&= ", min_size=10, max_size=24
).map(lambda text: f"Zq{text}qZ")
NAMES = st.sampled_from(["DB_PASSWORD", "TOKEN", "api-key", "CLIENT_SECRET", "x.auth", "PWD"])
JOB = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: hello, annotations: {a: '${{%s}}'}}\n"
PLAIN = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: hello}\n"


def effects(*argv: str, manifest: str = "") -> tuple[str, tuple[str, ...]]:
    """Return the line of options in effect, and the secrets that are known from them."""
    options = parse(argv)
    assert isinstance(options, Options)
    request, _ = plan(options, lambda _: None, lambda _: manifest)
    return in_effect(request, options), secrets_given(options)


@given(SECRETS, NAMES)
@example("Zq" + " " * 10 + "qZ", "TOKEN")
def test_a_secret_is_in_no_line_of_ours(secret: str, name: str) -> None:
    env, known_env = effects("-j", "hello", "-i", "x", "-e", name, "-v", secret)
    param, known_param = effects("-y", "f", "--param", f"{name}={secret}", manifest=JOB % name)
    query, known_query = effects("-y", "https://h/x", "--query", f"a={secret}", manifest=PLAIN)
    assert secret not in env + param + query
    for known in (known_env, known_param, known_query):
        told = without_secrets(
            verdict("ns/hello", Ending(code=Exit.REFUSED, text=f"a: {secret}!"), None), known
        )
        assert secret not in "\n".join(report(told, ("result",)))
        assert json.dumps(secret)[1:-1] not in json.dumps(as_json(told))
        err = io.StringIO()
        console = Console(None, err)
        console.secrets = known
        console.remark(f"Invalid value: {secret!r}, {secret}")
        assert secret not in err.getvalue()
        assert repr(secret)[1:-1] not in err.getvalue()


@given(st.text(string.ascii_letters + string.digits + "/?#:&=", min_size=4, max_size=20))
def test_a_password_in_an_address_is_never_shown(secret: str) -> None:
    password = f"Zq{secret}qZ"
    assert password not in shown(f"https://joe:{password}@host/job.yaml")
    assert password not in masked("URL", f"https://joe:{password}@host/job.yaml")


@given(SECRETS.filter(lambda text: "=" not in text), NAMES)
def test_no_refusal_of_a_line_shows_a_secret(secret: str, name: str) -> None:
    for argv in (["--param", secret], ["--query", secret], ["-e", f"{name}={secret}", "-v", "x"]):
        with pytest.raises(UsageError) as caught:
            parse(["-j", "hello", "-i", "x", *argv])
        assert secret not in str(caught.value)


def test_a_secret_that_the_cluster_quotes_is_in_no_output_and_no_result(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """Naive: the API's refusal quotes the value, and so does the error."""
    result, manifest = tmp_path / "result.json", tmp_path / "job.yaml"
    manifest.write_text(
        "apiVersion: batch/v1\nkind: Job\nmetadata: {name: hello, labels: {a: '${{TOKEN}}'}}\n"
        "spec: {template: {spec: {restartPolicy: Never, containers: [{name: m, image: 'busybox:1'}]"
        "}}}\n"
    )
    line = ["-y", str(manifest), "--param", "TOKEN=sesame open!", "--sandbox"]
    code = cli.main([*line, "--result-file", str(result), "--print", "result"])
    out, err = capfdbinary.readouterr()
    assert code == Exit.MANIFEST
    assert b"Invalid value" in out
    assert b"sesame" not in out + err + result.read_bytes()


def test_a_verdict_without_secrets_is_left_as_it_is() -> None:
    plain = verdict("ns/hello", Ending(code=Exit.FAILED, text="Zq-secret"), None)
    assert without_secrets(plain, ()) is plain


def test_a_secret_in_a_failure_and_in_a_warning_is_hidden() -> None:
    failure = Failure(
        pod="p", container="c", node="n", attempt=1, exit_code=1, reason="Error", text="said sesame"
    )
    told = replace(
        verdict("ns/hello", Ending(code=Exit.FAILED, text="x"), None),
        failures=(failure,),
        warnings=("Failed: sesame",),
        left_behind="sesame",
    )
    hidden = without_secrets(told, ("sesame",))
    assert "sesame" not in json.dumps(as_json(hidden)) + hidden.sentence
    assert len("sesame") == SHORTEST
