"""The JSON Schema of the JSON document, made from the closed lists, published as docs/schemas/result.schema.json."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from fleetscan.model.finding import Status
from fleetscan.model.host import Role, TransportName
from fleetscan.model.playbook import JSON, ObjectType, Severity
from fleetscan.model.reasons import Reason, Stage
from fleetscan.report.rows import COLUMNS

_TEXT: JSON = {"type": "string"}
_COUNT: JSON = {"type": "integer", "minimum": 0}
_TIME: JSON = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$"}
_NO_TIME: JSON = {"type": ["string", "null"], "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$"}
_SHA256: JSON = {"type": "string", "pattern": "^([0-9a-f]{64})?$"}
_TEXTS: JSON = {"type": "array", "items": {"type": "string"}}


def schema() -> dict[str, JSON]:
    """The schema, draft 2020-12. No object that fleetscan makes has a key that is not named here."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "fleetscan result",
        "description": "One run: what was asked of which hosts, what they answered, and what that means.",
        **_object(
            {
                "fleetscan": _said("Version of fleetscan that made the document.", _TEXT),
                "run": {"$ref": "#/$defs/run"},
                "hosts": _array("Each selected host once, whatever happened.", "host"),
                "diagnoses": _array("Virtual machines with a symptom, and the causes that were found.", "diagnosis"),
                "findings": _array(
                    "Hosts × checks × objects, with the columns of the CSV and the diagnosis.", "finding"
                ),
            }
        ),
        "$defs": {
            "counts": _object({"total": _COUNT} | {status.value: _COUNT for status in Status}),
            "run": _run(),
            "data": _data(),
            "host": _host(),
            "trouble": _trouble(),
            "probe": _probe(),
            "diagnosis": _diagnosis(),
            "cause": _cause(),
            "finding": _finding(),
        },
    }


def _run() -> dict[str, JSON]:
    return _object(
        {
            "run_id": _TEXT,
            "playbook": _TEXT,
            "playbook_title": _TEXT,
            "playbook_version": _TEXT,
            "check_count": _COUNT,
            "started_at": _TIME,
            "ended_at": _TIME,
            "fail_on": _enum(Severity),
            "interrupted": {"type": "boolean"},
            "data": _array("The dated lists of versions and limits that the checks compared with.", "data"),
            "notices": _said("What the reader must know about how the run was made.", _TEXTS),
            "host_counts": _said("Hosts by verdict.", {"$ref": "#/$defs/counts"}),
            "finding_counts": _said("Findings by status.", {"$ref": "#/$defs/counts"}),
        }
    )


def _data() -> dict[str, JSON]:
    as_of: JSON = {"type": "string", "pattern": r"^\d{4}-\d{2}(-\d{2})?$"}
    return _object(
        {
            "id": _TEXT,
            "as_of": _said("The month, or the day, on which the source said so.", as_of),
            "source": _said("Where the numbers come from.", _TEXT),
            "file": _TEXT,
        }
    )


def _diagnosis() -> dict[str, JSON]:
    return _object(
        {
            "vm_id": _TEXT,
            "vm_name": _TEXT,
            "hosts": _said("Where the machine was seen; two: it moved during the run, or is a replica.", _TEXTS),
            "rule": _said("Which diagnosis of the playbook it is.", _TEXT),
            "diagnosis": _said("One sentence: the machine, what is wrong, and why.", _TEXT),
            "symptoms": _said("The checks of the machine that show it.", _TEXTS),
            "causes": _array("What was found wrong that explains it; empty if the cause is not known.", "cause"),
            "unseen": _said("What could explain it and could not be looked at.", _TEXTS),
        }
    )


def _cause() -> dict[str, JSON]:
    return _object(
        {
            "check_id": _TEXT,
            "article": _TEXTS,
            "host": _TEXT,
            "because": _TEXT,
            "remedy": _TEXT,
            "finding_key": _said("The finding behind it.", _TEXT),
        }
    )


def _host() -> dict[str, JSON]:
    return _object(
        {
            "host": _TEXT,
            "address": _TEXT,
            "roles": {"type": "array", "items": _enum(Role)},
            "groups": _TEXTS,
            "zone": _TEXT,
            "cluster": _TEXT,
            "vmm_server": _TEXT,
            "transport": _enum(TransportName),
            "verdict": _enum(Status),
            "counts": {"$ref": "#/$defs/counts"},
            "trouble": {"anyOf": [{"$ref": "#/$defs/trouble"}, {"type": "null"}]},
            "started_at": _NO_TIME,
            "ended_at": _NO_TIME,
            "attempts": _COUNT,
            "seconds": _said(
                "Seconds spent in each stage of the visit.",
                {
                    "type": "object",
                    "propertyNames": _enum(Stage),
                    "additionalProperties": {"type": ["number", "null"], "minimum": 0},
                },
            ),
            "payload_sha256": _SHA256,
            "meta": _said("What the host says of itself; empty if it never answered.", {"type": "object"}),
            "probes": {"type": "object", "additionalProperties": {"$ref": "#/$defs/probe"}},
        }
    )


def _trouble() -> dict[str, JSON]:
    return _object({"reason": _enum(Reason), "stage": _enum(Stage), "message": _TEXT, "hint": _TEXT})


def _probe() -> dict[str, JSON]:
    return _object(
        {
            "reason": {"enum": [*(reason.value for reason in Reason), None]},
            "message": _TEXT,
            "ms": _said("Milliseconds that the probe took on the host.", _COUNT),
            "sha256": _SHA256,
            "data": _said("The answer, as it came; null if there is none.", {"type": ["object", "null"]}),
        }
    )


def _finding() -> dict[str, JSON]:
    closed: Mapping[str, JSON] = {
        "finding_key": {"type": "string", "pattern": "^[0-9a-f]{16}$"},
        "assessed_at": _TIME,
        "object_type": _enum(ObjectType),
        "severity": _enum(Severity),
        "status": _enum(Status),
        "reason_code": {"enum": ["", *(reason.value for reason in Reason)]},
        "waived": {"type": "boolean"},
        "payload_sha256": _SHA256,
    }
    diagnosis = _said("Why the machine has this symptom, in one sentence; empty where it is none.", _TEXT)
    return _object({column: closed.get(column, _TEXT) for column in COLUMNS} | {"diagnosis": diagnosis})


def _object(properties: Mapping[str, JSON]) -> dict[str, JSON]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _array(description: str, name: str) -> JSON:
    return {"description": description, "type": "array", "items": {"$ref": f"#/$defs/{name}"}}


def _said(description: str, shape: JSON) -> JSON:
    return {"description": description, **shape} if isinstance(shape, dict) else shape


def _enum(members: Iterable[StrEnum]) -> JSON:
    return {"enum": [member.value for member in members]}
