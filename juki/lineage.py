"""Events of runs in the form of OpenLineage: what ran, when, what it read and wrote, and how many rows.

Decides:    the form of an event, the names of jobs and data sets, and which facets there are.
Leaves:     keeping events to `juki.lineage_files`, what a flow read and wrote to `tasks.lineage_sets`.
Invariants: pure; a name is made of words of ours and codes of municipalities and recipients, a figure is a count:
            there is no room for a value of a person, and a name of another form is refused.
Source:     OpenLineage 2-0-2, ADR-0041.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from juki.reasons import Code

PRODUCER = "urn:juki-renkei:0.1"
_SPEC = "https://openlineage.io/spec"
_EVENT_SCHEMA = f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent"
_NAME = re.compile(r"[a-z0-9_-]+(/[a-z0-9_-]+)*")

Json = dict[str, object]


class Job(StrEnum):
    """The jobs events are written of; the names of their deployments."""

    INTAKE = "intake"
    RECONCILE = "reconcile"
    FORWARD = "forward"
    PROVIDE = "provide"
    PURGE = "purge"
    QUALITY = "quality"


class Stage(StrEnum):
    """What an event says happened to a run."""

    START = "START"
    COMPLETE = "COMPLETE"
    FAIL = "FAIL"
    ABORT = "ABORT"
    """It was ended from outside, or its process is gone."""


@dataclass(frozen=True, slots=True)
class DataSet:
    """Something a run read or wrote, by name, with what is known of how much it was."""

    name: str
    rows: int | None = None
    files: int | None = None

    def __post_init__(self) -> None:
        """Refuse a name that is not made of our words.

        Raises: ValueError, without the name.
        """
        if _NAME.fullmatch(self.name) is None:
            raise ValueError("name of a data set")


@dataclass(frozen=True, slots=True)
class Sets:
    """What a run read and what it wrote."""

    inputs: tuple[DataSet, ...] = ()
    outputs: tuple[DataSet, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a job at a prefecture; `first` is the run it tries again, in the place of which it stands."""

    job: Job
    run_id: UUID
    prefecture_code: str
    first: UUID | None = None

    @property
    def namespace(self) -> str:
        """Where its job and its data sets are."""
        return f"juki://{self.prefecture_code}"


def event_of(
    run: Run, stage: Stage, at: datetime, sets: Sets | None = None, code: Code | None = None
) -> Json:
    """Write one event; `code` says why a run failed."""
    sets = sets or Sets()
    return {
        "eventType": stage.value,
        "eventTime": at.isoformat(),
        "producer": PRODUCER,
        "schemaURL": _EVENT_SCHEMA,
        "run": {"runId": str(run.run_id), "facets": _run_facets(run, code)},
        "job": {"namespace": run.namespace, "name": run.job.value, "facets": _JOB_FACETS},
        "inputs": [_data_set(run, one, "inputFacets", _INPUT) for one in sets.inputs],
        "outputs": [_data_set(run, one, "outputFacets", _OUTPUT) for one in sets.outputs],
    }


def _facet(schema: str, said: Mapping[str, object]) -> Json:
    return {"_producer": PRODUCER, "_schemaURL": f"{_SPEC}/facets/{schema}", **said}


def _facet_schema(version: str, name: str) -> str:
    return f"{version}/{name}.json#/$defs/{name}"


_INPUT = ("inputStatistics", _facet_schema("1-0-0", "InputStatisticsInputDatasetFacet"))
_OUTPUT = ("outputStatistics", _facet_schema("1-0-2", "OutputStatisticsOutputDatasetFacet"))
_ERROR = _facet_schema("1-0-1", "ErrorMessageRunFacet")
_PARENT = _facet_schema("1-2-0", "ParentRunFacet")
_JOB_FACETS: Json = {
    "jobType": _facet(
        _facet_schema("2-0-4", "JobTypeJobFacet"),
        {"processingType": "BATCH", "integration": "PREFECT", "jobType": "FLOW"},
    )
}


def _run_facets(run: Run, code: Code | None) -> Json:
    facets: Json = {}
    if code is not None:
        message = f"[{code.value}] {code.message}"
        facets["errorMessage"] = _facet(_ERROR, {"message": message, "programmingLanguage": "PYTHON"})
    if run.first is not None:
        job = {"namespace": run.namespace, "name": run.job.value}
        facets["parent"] = _facet(_PARENT, {"run": {"runId": str(run.first)}, "job": job})
    return facets


def _data_set(run: Run, one: DataSet, key: str, facet: tuple[str, str]) -> Json:
    counts = {"rowCount": one.rows, "fileCount": one.files}
    known = {name: count for name, count in counts.items() if count is not None}
    name, schema = facet
    facets: Json = {name: _facet(schema, known)} if known else {}
    return {"namespace": run.namespace, "name": one.name, key: facets}


def in_order(sets: Sequence[DataSet]) -> tuple[DataSet, ...]:
    """Put data sets in the order of their names, each once: counts of the same one are added up."""
    found: dict[str, DataSet] = {}
    for one in sets:
        before = found.get(one.name, DataSet(one.name))
        found[one.name] = DataSet(one.name, _sum(before.rows, one.rows), _sum(before.files, one.files))
    return tuple(found[name] for name in sorted(found))


def _sum(one: int | None, other: int | None) -> int | None:
    return one if other is None else (one or 0) + other
