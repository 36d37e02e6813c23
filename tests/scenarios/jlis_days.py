"""Days of events told to J-LIS; prints what the chapter found, and whether its ledgers equal the truth.

Test-only; run as a process of its own, as the demonstration is, because Prefect reads its environment once.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import date, timedelta

from rich.console import Console

from config.settings import home_of, load_settings
from flows import environment
from juki.columns import IdentityFile
from simulator import jlis_demo
from simulator.comparison import compare, lines_of
from simulator.demo import intake_of
from simulator.exercise import exercise
from simulator.faults import Fault
from simulator.jlis_demo import JlisChapter
from simulator.world import World

FIRST_DAY, SEED = date(2026, 3, 25), 20260325


def main(people: int) -> None:
    """Live, tell, live, tell; the last line printed is JSON."""
    home, chapter = home_of(), JlisChapter()
    world = World.create(people, SEED, FIRST_DAY, is_spiced=True, pace=100_000 / people)
    with exercise(home, world) as now:
        environment.prepare(home, load_settings(home))
        intake = intake_of(home)
        now.load(FIRST_DAY, intake)
        now.live(FIRST_DAY + timedelta(days=1), intake, (Fault.BAD_VALUES, Fault.LATE, Fault.DUPLICATE))
        jlis = jlis_demo.begin(now, chapter)
        now.live(FIRST_DAY + timedelta(days=2), intake)
        now.settle(FIRST_DAY + timedelta(days=3), intake)
        jlis_demo.settle(jlis)
        truth = {
            file.value: {
                "stores": all(one.is_equal for one in compare(home, now.truth, file)),
                "standing": lines_of(jlis.ledgers[file].records(erased=False))
                == lines_of(now.truth.standing(file)),
                "erased": lines_of(jlis.ledgers[file].records(erased=True))
                == lines_of(now.truth.erased(file)),
            }
            for file in IdentityFile
        }
        jlis_demo.run(now, jlis, chapter)
        jlis_demo.tell(Console(file=sys.stderr), chapter)
    said = {"truth": truth, "chapter": asdict(chapter)}
    sys.stdout.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]))
