"""Some of the clusters, in a process: `python -m tools.chaos.service.clusters PLAN FIRST STEP`.

Every second it prints a line of JSON that says how far they have come; the last one, once all is acknowledged, is the whole.
"""

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random

from tools.chaos.service.plan import Plan, read_plan
from tools.rehearsal.reporting import Reporter

_EVERY_S = 1.0
_MOST_REJECTIONS = 5


async def report(plan: Plan, numbers: Sequence[int]) -> None:
    """Reports what these clusters have to say, and prints how far they have come."""
    reporters = [_reporter(plan, number) for number in numbers]
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(reporter.run(pace_s=plan.pace_s)) for reporter in reporters]
        while (await asyncio.wait(running, timeout=_EVERY_S))[1]:
            _print(reporters)
    _print(reporters)


def _reporter(plan: Plan, number: int) -> Reporter:
    random = Random(f"{plan.seed}/reporter/{number}")  # noqa: S311 - it spreads calls
    batches = plan.script(number).batches()
    return Reporter(batches, plan.addresses, plan.site.cluster(number), random=random, clock=time.monotonic)


def _print(reporters: Sequence[Reporter]) -> None:
    waits = sorted(wait for reporter in reporters for wait in reporter.progress.waits_s)
    rejections = [message for reporter in reporters for message in reporter.progress.rejections]
    said = {
        "acknowledged": sum(reporter.progress.acknowledged for reporter in reporters),
        "waiting": sum(reporter.waiting for reporter in reporters),
        "streams": sum(reporter.progress.streams for reporter in reporters),
        "wait_p50_s": waits[len(waits) // 2] if waits else 0.0,
        "wait_p99_s": waits[len(waits) * 99 // 100] if waits else 0.0,
        "rejections": rejections[:_MOST_REJECTIONS],
    }
    print(json.dumps(said), flush=True)


def main() -> None:
    """Reports what the arguments say."""
    plan = read_plan(Path(sys.argv[1]))
    first, step = map(int, sys.argv[2:])
    asyncio.run(report(plan, range(first, plan.clusters, step)))


if __name__ == "__main__":
    main()
