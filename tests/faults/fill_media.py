"""The disk of the files full, in the middle of uploads."""

import time
from functools import partial

from tests.faults.aftermath import Verdict, judge, run
from tests.faults.house import House, fill, small_disk, wait_until
from tests.faults.load import Load

MEGABYTES = 24


def main(quick: bool) -> Verdict:
    verdict = Verdict(f"room on the disk of the files: {MEGABYTES} MB, full for some seconds")
    with House() as house, small_disk(house.media, MEGABYTES):
        house.open()
        with Load(house, people=12, mix={"like": 20, "play": 20, "upload": 20, "look": 20, "stream": 10}) as load:
            time.sleep(2 if quick else 5)
            verdict.in_flight += load.in_flight()
            ballast = fill(house.media)
            full = time.monotonic()
            wait_until(partial(refusals, load, full), "an upload to be refused")
            time.sleep(2 if quick else 10)
            for outcome in load.since(full):
                expected = (200, 302) if outcome.deed != "upload" else (201, 503)
                verdict.expect(outcome.status in expected, f"on a full disk {outcome.deed} got {outcome.status}")
            ballast.unlink()
            verdict.served_again["uploads"] = house.seconds_until_it_serves(time.monotonic(), load.people[0].upload)
            time.sleep(2)
        judge(verdict, house, load, allowed={"storage_unavailable"})
    return verdict


def refusals(load: Load, since: float) -> int:
    return sum(outcome.code == "storage_unavailable" for outcome in load.since(since))


if __name__ == "__main__":
    run(main)
