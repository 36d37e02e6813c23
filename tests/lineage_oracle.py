"""Events of runs, read back by the classes the OpenLineage project generates from its published JSON schema.

Each part of an event is given to the class of its schema: with a key that is missing or unknown, a run id that is no
UUID, an instant that is none or another version of a schema than the one published it does not come back as it was.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import attr
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import (
    error_message_run,
    input_statistics_input_dataset,
    job_type_job,
    output_statistics_output_dataset,
    parent_run,
)
from openlineage.client.serde import Serde

from juki.home import Home

_FACETS = {
    "errorMessage": error_message_run.ErrorMessageRunFacet,
    "jobType": job_type_job.JobTypeJobFacet,
    "inputStatistics": input_statistics_input_dataset.InputStatisticsInputDatasetFacet,
    "outputStatistics": output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet,
}


def check(event: dict[str, Any]) -> None:
    """Fail unless the published classes take the event and give it back as it was."""
    said = dict(event)
    read = RunEvent(
        eventType=RunState(said.pop("eventType")),
        run=Run(**_with_facets(said.pop("run"))),
        job=Job(**_with_facets(said.pop("job"))),
        inputs=[InputDataset(**_with_facets(one, "inputFacets")) for one in said.pop("inputs")],
        outputs=[OutputDataset(**_with_facets(one, "outputFacets")) for one in said.pop("outputs")],
        eventTime=said.pop("eventTime"),
        producer=said.pop("producer"),
    )
    assert said == {"schemaURL": read.schemaURL}
    attr.validate(read)
    assert _bare(Serde.to_dict(read)) == _bare(event)


def events_of(home: Home) -> list[dict[str, Any]]:
    """Read every event of a home, in the order they were written, each checked."""
    files = sorted(home.lineage.glob("*.jsonl"))
    events = [json.loads(line) for path in files for line in path.read_text("utf-8").splitlines()]
    for one in events:
        check(one)
    return events


def stages(events: Iterable[dict[str, Any]], job: str) -> list[str]:
    """Tell what happened to the runs of a job, in order."""
    return [one["eventType"] for one in events if one["job"]["name"] == job]


def _with_facets(part: dict[str, Any], key: str = "facets") -> dict[str, Any]:
    return part | {key: {name: _facet(name, said) for name, said in part[key].items()}}


def _facet(name: str, said: dict[str, Any]) -> Any:
    # The classes write their own schema: what the event says of it is compared afterwards.
    values = {key: value for key, value in said.items() if key not in ("_producer", "_schemaURL")}
    if name == "parent":
        run, job = parent_run.Run(**values["run"]), parent_run.Job(**values["job"])
        return parent_run.ParentRunFacet(run=run, job=job, producer=said["_producer"])
    return _FACETS[name](**values, producer=said["_producer"])


def _bare(value: Any) -> Any:
    """Leave out what is empty: the classes write every facet there could be."""
    if isinstance(value, dict):
        found = {key: _bare(one) for key, one in value.items()}
        return {key: one for key, one in found.items() if one not in ({}, [], None)}
    return [_bare(one) for one in value] if isinstance(value, list) else value
