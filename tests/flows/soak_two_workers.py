"""Two workers, each with a JUKI_HOME of its own, reconcile the 38 channels of one site: none is worked twice at once.

Run by `make soak`. The second worker is started as docs/systemd/juki-worker.service says, on a copy of keys, settings
and registrations, with the stores by URL. Some channels are asked for twice, and each of the two runs is given to
another worker: whoever asks the server first takes all there is to do, so one of them has to be looking away.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from config.places import municipality_name, yamaguchi_municipalities
from config.stores import DATABASES
from flows.serving.children import FLOW_RUN
from juki.columns import IdentityFile
from juki.credentials import Credentials
from juki.home import Home
from juki.keys import write_private
from juki.order import Channel
from juki.processes import PROCESSES, Process, marked
from juki.reasons import Code
from juki.store import embedded
from juki.wire.site_api import SITE_HEADER
from simulator import installation
from simulator.repeating import repeating
from simulator.sftp_server import make_key, serve
from simulator.world import World
from tests.flows.conftest import Town
from tests.flows.nursery import Nursery
from tests.flows.prefect_site import Engine, running
from tests.flows.site_of_town import ENDED, TownSite, eventually, site_of
from tests.smtp_sink import smtp_sink

ROOT = Path(__file__).resolve().parents[2]
UNIT = ROOT / "docs/systemd/juki-worker.service"
CODES = tuple(yamaguchi_municipalities())
CHANNELS = [Channel(code, file) for file in IdentityFile for code in CODES][
    : int(os.environ.get("CHANNELS", "38"))
]
"""All of them, or the first few (CHANNELS=6) where the machine has other things to do."""
TWICE = CHANNELS[::8]
AT_ONCE = 10
"""Runs that are at work or wait for their turn, before the next channel is asked for."""
PEOPLE = 2000
ANSWER_SECONDS = 3.0
"""How long an office takes to look for a request: then runs that were started together are at work together."""


@pytest.fixture(scope="module")
def prefecture() -> Iterator[Town]:
    """An installation that knows all municipalities, with the notices of everybody laid out."""
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="juki-prefecture-")))
        home = Home.at(folder / "home")
        made = installation.prepare(home, CODES)
        ends.callback(embedded.stop, home)
        os.environ["JUKI_HOME"] = str(home.root)
        ends.callback(os.environ.pop, "JUKI_HOME")
        client = Credentials(home.keys).sftp_public_key.read_text().strip()
        cs = installation.folder(home) / "cs"
        installation.register(
            home, made, ends.enter_context(serve(cs, dict.fromkeys(CODES, client), make_key()))
        )
        nursery = Nursery(CHANNELS[0])
        ends.callback(nursery.close)
        yield Town(home, made, installation.offices(home, made), {}, nursery, Engine(home))


@pytest.fixture(scope="module")
def world(prefecture: Town) -> World:
    """Its people, whose notices their municipalities have laid out."""
    made = World.create(PEOPLE, 7, date(2026, 3, 25))
    now = datetime.now(UTC)
    for channel, table in made.initial_notices():
        prefecture.offices[channel.municipality_code].publish(channel.file, table, now)
    return made


@pytest.fixture(scope="module")
def site(prefecture: Town, world: World) -> Iterator[TownSite]:
    """A running site whose first worker has taken everybody in."""
    with smtp_sink() as sink, site_of(prefecture, sink) as made:
        made.settings["JUKI_SNAPSHOT_WAIT_SECONDS"] = "300"
        made.up()
        made.pause()
        assert made.ended(made.start("intake")) == "COMPLETED"
        yield made


@pytest.fixture(scope="module")
def second(prefecture: Town, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The JUKI_HOME of another machine: the same keys, settings and registrations, the stores by URL."""
    home = Home.at(tmp_path_factory.mktemp("second") / "home")
    own = {"postgres", "spool", "quarantine", "prefect", "logs", "witness", "notifications", "cs"}
    shutil.copytree(
        prefecture.home.root, home.root, ignore=lambda _, names: own & set(names), dirs_exist_ok=True
    )
    home.create()
    home.witness.mkdir(mode=0o700, exist_ok=True)
    urls = []
    for file in IdentityFile:
        place = home.keys / f"{file.value}.url"
        write_private(place, embedded.admin_url(prefecture.home, DATABASES[file]).encode() + b"\n")
        urls.append(f'{file.value}_url_file = "{place}"')
    with home.settings_file.open("a", encoding="utf-8") as settings:
        settings.write("\n".join(["", *urls, ""]))
    return home


def unit_environment(home: Home, site: TownSite) -> dict[str, str]:
    """Read what the unit sets, for this home and port, and write its file of secrets as it says."""
    text = UNIT.read_text("utf-8").replace("/srv/juki", str(home.root)).replace(":4200/", f":{site.port}/")
    said = dict(one.split("=", 1) for one in re.findall(r"^Environment=(.*)$", text, re.MULTILINE))
    secrets = re.findall(r"^#\s+(PREFECT_[A-Z_]+=.*)$", text, re.MULTILINE)
    for line in secrets:
        name, value = shlex.split(line)[0].split("=", 1)
        value = value.replace("<password>", site.files.credentials().partition(":")[2])
        said[name] = value.replace("<site-key>", site.files.site_key())
    assert SITE_HEADER in said["PREFECT_CLIENT_CUSTOM_HEADERS"]
    return said


def unit_command() -> list[str]:
    """Read what the unit starts."""
    (said,) = re.findall(r"^ExecStart=\S+/prefect (.*)$", UNIT.read_text("utf-8"), re.MULTILINE)
    return [sys.executable, "-m", "prefect", *said.replace("%H", "second").split()]


@contextmanager
def second_worker(site: TownSite, home: Home) -> Iterator[None]:
    """Let the other worker work while the block runs, as soon as the server knows it."""
    clean = {name: value for name, value in site.environment.items() if not name.startswith("PREFECT_")}
    with running(unit_command(), clean | unit_environment(home, site), home.logs / "worker.log"):
        workers = "/work_pools/juki/workers/filter"
        eventually(lambda: sum(one["status"] == "ONLINE" for one in site.api.post(workers)) == 2)
        yield


@dataclass(slots=True)
class Watch:
    """What was seen of the processes of runs: where each was, and from when to when."""

    homes: tuple[Home, Home]
    place: dict[str, Path] = field(default_factory=dict)
    seen: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def look(self) -> None:
        """Look once."""
        for home in self.homes:
            for process in marked("JUKI_HOME", str(home.root)):
                run = process.environment.get(FLOW_RUN)
                if run:
                    assert self.place.setdefault(run, home.root) == home.root, "one run on two machines"
                    self.seen[run].append(time.monotonic())

    def taken(self, run: str) -> bool:
        """Tell whether a run was seen at work."""
        return run in self.place

    def together(self, one: str, other: str) -> bool:
        """Tell whether two runs were alive at the same time."""
        first, then = self.seen[one], self.seen[other]
        return bool(first and then) and first[0] <= then[-1] and then[0] <= first[-1]


def _ask(site: TownSite, watch: Watch, silent: set[str]) -> dict[Channel, list[str]]:
    """Start some channels twice, so that they meet, then the others, a few at a time, as the clock does."""
    asked = {channel: _meet(site, watch, silent, channel) for channel in TWICE}
    for channel in CHANNELS:
        if channel not in TWICE:
            asked[channel] = [_start(site, channel)]
            eventually(lambda: _unended(site) < AT_ONCE)
    return asked


def _meet(site: TownSite, watch: Watch, silent: set[str], channel: Channel) -> list[str]:
    """Let two runs of one channel be at work at once, each on another worker: its office says nothing yet."""
    runs: list[str] = []
    silent.add(channel.municipality_code)
    for away in watch.homes:
        with _looking_away(away):
            runs.append(_start(site, channel))
            eventually(lambda: watch.taken(runs[-1]))
    silent.discard(channel.municipality_code)
    eventually(lambda: all(_ended(site, run) for run in runs))
    return runs


@contextmanager
def _looking_away(home: Home) -> Iterator[None]:
    """Hold the worker of a home still while the block runs, but not its runs."""
    (worker,) = [one.number for one in marked("JUKI_HOME", str(home.root)) if _is_worker(one)]
    os.kill(worker, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(worker, signal.SIGCONT)


def _is_worker(process: Process) -> bool:
    said = (PROCESSES / str(process.number) / "cmdline").read_bytes().split(b"\0")
    return b"worker" in said and b"start" in said


def _start(site: TownSite, channel: Channel) -> str:
    place = f"{channel.municipality_code} {municipality_name(channel.municipality_code)}"
    return site.start("reconcile", municipality=place, file=channel.file.japanese, mode="照合のみ")


def _unended(site: TownSite) -> int:
    wanted = {
        "state": {"type": {"any_": ["SCHEDULED", "PENDING", "RUNNING"]}},
        "tags": {"all_": ["reconcile"]},
    }
    return len(site.api.post("/flow_runs/filter", {"flow_runs": wanted}))


def _rows(town: Town, channel: Channel, query: str) -> list[tuple[Any, ...]]:
    return replace(town, channel=channel).rows(query)


def _actors(town: Town, channel: Channel) -> list[str]:
    """List who wrote of the comparison of a channel, in the order of the log, each once for as long as he wrote."""
    written = "('snapshot.requested', 'files.compared', 'reconciliation.ended')"
    query = f"SELECT entry FROM journal WHERE action IN {written} ORDER BY entry_no"
    entries = [json.loads(row[0]) for row in _rows(town, channel, query)]
    own = [one["actor"] for one in entries if one["municipality_code"] == channel.municipality_code]
    return [actor for actor, _ in groupby(own)]


def test_two_workers_reconcile_every_channel_and_none_twice_at_once(
    site: TownSite, second: Home, prefecture: Town, world: World
) -> None:
    """Both have their share; of two runs for one channel the later is told that it is busy, or comes after it."""
    watch, silent = Watch((prefecture.home, second)), set[str]()
    standing = {file: world.standing(file) for file in IdentityFile}

    def answer() -> None:
        for code in prefecture.offices.keys() - silent:
            prefecture.offices[code].answer_requests(standing.__getitem__, datetime.now(UTC))

    with second_worker(site, second), repeating(answer, ANSWER_SECONDS), repeating(watch.look, 1.0):
        began = time.monotonic()
        asked = _ask(site, watch, silent)
        runs = {run: eventually(lambda run=run: _ended(site, run)) for them in asked.values() for run in them}
        took = time.monotonic() - began
    ended = Counter(one["state_type"] for one in runs.values())
    shares = Counter(watch.place[run].parent.name for run in runs)
    both = [them for them in asked.values() if len(them) == 2 and watch.together(*them)]
    apart = [them for them in both if watch.place[them[0]] != watch.place[them[1]]]
    busy = Code.RECONCILIATION_BUSY.value
    print(
        f"{len(runs)} runs in {took:.0f} s: {dict(ended)}, by worker {sorted(shares.values())}; of {len(TWICE)} "
        f"started twice {len(both)} at work at once, {len(apart)} of them on both workers"
    )
    for one in runs.values():
        said = str(one["state"]["message"])
        assert one["state_type"] == "COMPLETED" or f"[{busy}]" in said, said
    for channel, them in asked.items():
        _is_worked_in_turn(prefecture, channel, sum(runs[run]["state_type"] == "COMPLETED" for run in them))
    assert len(shares) == 2 and min(shares.values()) >= len(runs) // 8
    assert len(apart) == len(TWICE), "two runs of a channel did not meet"


def _is_worked_in_turn(town: Town, channel: Channel, completed: int) -> None:
    """Every run that completed has a reconciliation of its own, found equal, and nobody wrote in between."""
    registered = _rows(
        town, channel,
        "SELECT is_equal, finished_at IS NOT NULL FROM reconciliation "
        f"WHERE municipality_code = '{channel.municipality_code}'",
    )  # fmt: skip
    assert completed >= 1 and registered == [(True, True)] * completed, channel
    actors = _actors(town, channel)
    assert len(actors) == len(set(actors)) == completed, channel


def _ended(site: TownSite, run: str) -> dict[str, Any] | None:
    found = site.run(run)
    return found if found["state_type"] in ENDED else None
