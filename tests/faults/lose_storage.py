"""Stop S3 during uploads, and start it again with its content."""

import time
from functools import partial

from tests.faults.aftermath import Verdict, judge, run
from tests.faults.load import Load
from tests.faults.service import Service, wait_until

MIX = {"like": 20, "play": 20, "upload": 30, "look": 15, "stream": 15}


def main(quick: bool) -> Verdict:
    verdict = Verdict("the store that speaks S3, for some seconds")
    with Service(s3=True) as service:
        service.open()
        with Load(service, people=12, mix=MIX) as load:
            for _ in range(1 if quick else 3):
                # A connection to S3 is costly to make, and each thread of the server makes one.
                wait_until(partial(well_since, load, 0, "upload", 201), "an upload")
                time.sleep(2 if quick else 5)
                verdict.in_flight += load.in_flight()
                service.bucket.stop()
                gone = time.monotonic()
                for action in ("like", "play", "look"):
                    wait_until(partial(well_since, load, gone, action, 200), f"a {action} without storage")
                wait_until(partial(well_since, load, gone, "upload", 503), "an upload to be refused")
                time.sleep(1 if quick else 8)
                service.bucket.start()
                verdict.served_again["uploads"] = service.seconds_until_it_serves(
                    time.monotonic(), load.people[0].upload
                )
            time.sleep(2)
        judge(verdict, service, load, allowed={"storage_unavailable"})
    return verdict


def well_since(load: Load, moment: float, action: str, status: int) -> bool:
    return any((outcome.action, outcome.status) == (action, status) for outcome in load.since(moment))


if __name__ == "__main__":
    run(main)
