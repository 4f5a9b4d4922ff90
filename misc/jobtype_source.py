"""The readable source of the runKjob job type, and the .ctmai files that are built from it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from misc.jobtype import JobTypeError, decode, encode

SOURCE = Path(__file__).with_name("runKjob.yaml")
BUILT = SOURCE.with_suffix(".ctmai")
# For Control-M 9.0.21 and later, which keep more settings of the output.
BUILT_9021 = SOURCE.with_name("runKjob-9.0.21.ctmai")

# How the form is handed over; runjob/form.py reads it.
MARK = "@runKjob"
# dash loses a byte where a line begins like this word and goes on with a letter beyond ASCII; the
# launcher sees that it is no UTF-8 then. Hardly a line begins so.
END = "^RUNKJOB-FORM-ENDS"

# Accepted from 9.0.20 to 9.0.21 and by Helix.
VERSION = "8.0.00.200"

Json = dict[str, Any]


def build() -> tuple[Path, ...]:
    """Write the .ctmai files from the source, and return their paths."""
    source = read_source()
    BUILT.write_text(encode(document(source)), encoding="ascii")
    BUILT_9021.write_text(encode(document(source, output_settings=True)), encoding="ascii")
    return BUILT, BUILT_9021


def read_source() -> Json:
    """Read misc/runKjob.yaml."""
    found: Json = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))
    return found


def show(path: Path) -> str:
    """Return any .ctmai in a form that people can read: YAML, commands as they run."""
    try:
        found = decode(path.read_text(encoding="ascii"))
    except OSError as error:
        raise JobTypeError(f"{path}: {error.strerror}") from error
    except (JobTypeError, UnicodeDecodeError) as error:
        raise JobTypeError(f"{path} is no job type of Application Integrator: {error}") from error
    return yaml.dump(found, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


class _Dumper(yaml.SafeDumper):
    """Writes text of several lines as it reads."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def document(source: Mapping[str, Any], *, output_settings: bool = False) -> Json:
    """Return the JSON of the job type that source describes."""
    handed_over = here_document(source)
    app: Json = {
        "name": source["name"],
        "displayName": source["display name"],
        "defaultType": "CLI",
        "desc": source["description"],
        "icon": "Admin_Users",
        "uuid": source["uuid"],
        "version": VERSION,
        "verion": VERSION,  # sic, in every published file beside the right word
        "deploymentVersion": source["deployment version"],
        "lastModified": source["last modified"],
        "active": True,
        "newAndNotSaved": False,
        "wsdlURLs": [],
        "restURLs": [],
        "runtimeParams": [],
        "params": [],
        "simluationHost": "",  # sic
        "executionTypes": [
            {
                "executionTypeName": "default",
                "ops": [
                    _idle("pre-execute"),
                    _execute(source, handed_over),
                    _idle("post-execute"),
                ],
                "params": [_CON_PRO, *_parameters(source)],
            }
        ],
        "annotation": {"annotationNote": "SAVE", "annotationDescription": "SAVE"},
    }
    if output_settings:
        app["outputSettingElement"] = {
            "appendEnvInfoOutput": False,
            "appendStatInfoOutput": False,
            "appendStepDetailsOutput": False,
            "appendJobFailureMsgOutput": True,
        }
    return {"app": app, "WSDLS": {}}


def here_document(source: Mapping[str, Any]) -> str:
    """Return the end of a command line that hands every field to the launcher."""
    names = [each["name"] for each in (*source["profile"], *source["form"]) if "note" not in each]
    names.remove("CLIPath")  # where the launcher is, which it knows by then
    fields = "".join(f"{MARK} {name}={{{{{name}}}}}\n" for name in names)
    return f' <<"{END}"\n{fields}{MARK} end=\n{END}\n'


def _idle(kind: str) -> Json:
    return {"type": kind, "isEnabled": True, "cmds": [{"type": "CLI", "cmdType": "Exec"}]}


# What the output shows of a step: not the command, for its fields may hold what is not for all.
_SHOWN = {
    "appendRequestToOutput": False,
    "appendResponseToOutput": True,
    "appendToOutputFilterOperator": "start",
    "appendToOutputFilterValue": "",
}


def _execute(source: Mapping[str, Any], handed_over: str) -> Json:
    run = {
        "name": "Run the Job",
        "type": "CLI",
        "cmdType": "Exec",
        "txt": source["execute"] + handed_over,
        "handleRc": True,
        "rules": [],
        "defaultJobStatus": "0",
        "rcRules": [
            {"rcOperator": "eq", "rcValue": str(code), "jobStatus": "1"} for code in source["ok"]
        ],
        "extractInfo": [_extraction(each) for each in source["output"]],
        "ConditionSteps": [],
        "stepConditional": False,
        **_SHOWN,
    }
    kill = {
        "name": "Manual abort operation",
        "type": "CLI",
        "cmdType": "Kill",
        "txt": source["kill"] + handed_over,
        "handleRc": True,
        "rules": [],
        "defaultJobStatus": "0",
        "rcRules": [],
        "extractInfo": [],
        **_SHOWN,
    }
    return {"type": "execute", "isEnabled": True, "cmds": [run, kill]}


def _extraction(output: Mapping[str, Any]) -> Json:
    kept = {"keepExtracted": True, "keepParamName": output["name"]}
    return {
        "uid": _uid(f"rule {output['name']}"),
        "onSectionOperator": "and",
        "onSection": [],
        "onOption": "start",
        "onOptionVal": output["starts with"],
        "doSection": [
            {
                "uid": _uid(output["name"]),
                "doOption": "extract",
                "extHandleData": {"extOption": "wholeLine", "extractData": kept},
            }
        ],
    }


def _parameters(source: Mapping[str, Any]) -> list[Json]:
    outputs = [
        {
            "group": "output",
            "name": each["name"],
            # The same as its extraction's: by it Application Integrator brings the two together.
            "uid": _uid(each["name"]),
            "PropertyName": f"Prop{each['property']}",
            "sourceStep": "execute",
            "showInActive": True,
        }
        for each in source["output"]
    ]
    return [
        *(_field(each, "con") for each in source["profile"]),
        *(_field(each, "form") for each in source["form"]),
        *outputs,
    ]


def _option(written: str | Mapping[str, str]) -> Json:
    """Make an option whose name is its value, or of `{name: value}`."""
    name, value = (written, written) if isinstance(written, str) else next(iter(written.items()))
    return {"name": name, "value": value}


def _field(field: Mapping[str, Any], group: str) -> Json:
    common = {
        "group": group,
        "name": field["name"],
        "uid": _uid(field["name"]),
        "PropertyName": f"Prop{field['property']}",
    }
    if "note" in field:
        return {**common, "type": "label", "label": field["note"], "options": []}
    common |= {"label": field["label"], "description": field.get("description", "")}
    if "select" in field:
        options = [_option(each) for each in field["select"]]
        return {
            **common,
            "type": "select",
            "options": options,
            "defaultValueIndex": 0,
            "defaultValue": options[0]["value"],
        }
    profile = {"useEnvVar": False, "envVarName": "", "addToPath": False} if group == "con" else {}
    return {
        **common,
        "type": "textbox",
        "validValues": "all",
        "isMandatory": field.get("mandatory", False),
        "defaultValue": field.get("default", ""),
        "excludedChars": field.get("excluded", ""),
        "isInExcludedChars": bool(field.get("excluded")),
        **profile,
    }


def _uid(name: str) -> str:
    """Return an identity in the form that the designer makes up at random, from the name."""
    return f"0.{int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], 'big') % 10**16:016}"


_CON_PRO = {
    "group": "form",
    "type": "textbox",
    "name": "CON_PRO",
    "label": "Connection Profile:",
    "uid": _uid("CON_PRO"),
    "isDummy": True,
    "validValues": "all",
    "excludedChars": "",
    "isInExcludedChars": False,
    "useEnvVar": False,
    "envVarName": "",
    "addToPath": False,
}
