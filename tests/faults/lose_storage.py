"""S3 gone in the middle of uploads, and back with what it had."""

import time
from functools import partial

from tests.faults.aftermath import Verdict, judge, run
from tests.faults.house import House, wait_until
from tests.faults.load import Load

MIX = {"like": 20, "play": 20, "upload": 30, "look": 15, "stream": 15}


def main(quick: bool) -> Verdict:
    verdict = Verdict("the store that speaks S3, for some seconds")
    with House(s3=True) as house:
        house.open()
        with Load(house, people=12, mix=MIX) as load:
            for _ in range(1 if quick else 3):
                # A connection to S3 is costly to make, and each thread of the server makes one.
                wait_until(partial(well_since, load, 0, "upload", 201), "an upload")
                time.sleep(2 if quick else 5)
                verdict.in_flight += load.in_flight()
                house.bucket.stop()
                gone = time.monotonic()
                for deed in ("like", "play", "look"):
                    wait_until(partial(well_since, load, gone, deed, 200), f"a {deed} without storage")
                wait_until(partial(well_since, load, gone, "upload", 503), "an upload to be refused")
                time.sleep(1 if quick else 8)
                house.bucket.start()
                verdict.served_again["uploads"] = house.seconds_until_it_serves(time.monotonic(), load.people[0].upload)
            time.sleep(2)
        judge(verdict, house, load, allowed={"storage_unavailable"})
    return verdict


def well_since(load: Load, moment: float, deed: str, status: int) -> bool:
    return any((outcome.deed, outcome.status) == (deed, status) for outcome in load.since(moment))


if __name__ == "__main__":
    run(main)
