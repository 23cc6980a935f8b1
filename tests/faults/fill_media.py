"""Fill the disk of the media files during uploads."""

import time
from functools import partial

from tests.faults.aftermath import Verdict, judge, run
from tests.faults.load import Load
from tests.faults.service import Service, fill, small_disk, wait_until

MEGABYTES = 24


def main(quick: bool) -> Verdict:
    verdict = Verdict(f"room on the disk of the files: {MEGABYTES} MB, full for some seconds")
    with Service() as service, small_disk(service.media, MEGABYTES):
        service.open()
        with Load(service, people=12, mix={"like": 20, "play": 20, "upload": 20, "look": 20, "stream": 10}) as load:
            time.sleep(2 if quick else 5)
            verdict.in_flight += load.in_flight()
            ballast = fill(service.media)
            full = time.monotonic()
            wait_until(partial(refusals, load, full), "an upload to be refused")
            time.sleep(2 if quick else 10)
            for outcome in load.since(full):
                expected = (200, 302) if outcome.action != "upload" else (201, 503)
                verdict.expect(outcome.status in expected, f"on a full disk {outcome.action} got {outcome.status}")
            ballast.unlink()
            verdict.served_again["uploads"] = service.seconds_until_it_serves(time.monotonic(), load.people[0].upload)
            time.sleep(2)
        judge(verdict, service, load, allowed={"storage_unavailable"})
    return verdict


def refusals(load: Load, since: float) -> int:
    return sum(outcome.code == "storage_unavailable" for outcome in load.since(since))


if __name__ == "__main__":
    run(main)
