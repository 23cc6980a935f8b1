"""Stop Redis, restart it, then freeze it: no client may notice."""

import time
from statistics import median

from tests.faults.aftermath import Verdict, judge, run
from tests.faults.load import Load
from tests.faults.service import Service

# What the cache's own time limit may cost a shelf, which asks it a few times; more would be a wait without a limit.
LONGEST_WAIT = 1.5


def main(quick: bool) -> Verdict:
    verdict = Verdict("the cache: gone, back, and then frozen")
    seconds = 3 if quick else 10
    with Service(redis=True) as service:
        service.open()
        with Load(service, people=12, mix={"like": 20, "play": 20, "look": 20, "shelf": 30, "upload": 5}) as load:
            time.sleep(seconds)
            verdict.in_flight += load.in_flight()
            usual = median_seconds(load, 0)
            service.cache.stop()
            verdict.served_again["gone"] = service.seconds_until_it_serves(time.monotonic(), load.people[0].shelf)
            time.sleep(seconds)
            service.cache.start()
            verdict.served_again["back"] = service.seconds_until_it_serves(time.monotonic(), load.people[0].shelf)
            time.sleep(seconds)
            service.cache.freeze()
            frozen = time.monotonic()
            verdict.served_again["frozen"] = service.seconds_until_it_serves(frozen, load.people[0].shelf)
            time.sleep(seconds)
            waited = median_seconds(load, frozen) - usual
            service.cache.thaw()
        verdict.expect(waited < LONGEST_WAIT, f"a shelf waits {waited:.1f} s longer for a frozen cache")
        judge(verdict, service, load, allowed=set())
    return verdict


def median_seconds(load: Load, since: float) -> float:
    return median(outcome.ended - outcome.began for outcome in load.since(since) if outcome.action == "shelf")


if __name__ == "__main__":
    run(main)
