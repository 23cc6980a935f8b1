"""S3 gone in the middle of uploads, and back with what it had."""

import time

from tests.faults.aftermath import Verdict, judge, run
from tests.faults.house import House
from tests.faults.load import Load

MIX = {"like": 20, "play": 20, "upload": 30, "look": 15, "stream": 15}


def main(quick: bool) -> Verdict:
    verdict = Verdict("the store that speaks S3, for some seconds")
    with House(s3=True) as house:
        house.open()
        house.seconds_until_it_serves(time.monotonic())
        with Load(house, people=12, mix=MIX) as load:
            for _ in range(1 if quick else 3):
                time.sleep(3)
                verdict.in_flight += load.in_flight()
                house.bucket.stop()
                gone = time.monotonic()
                time.sleep(3 if quick else 8)
                during = load.since(gone)
                for deed in ("like", "play", "look"):
                    well = any(outcome.deed == deed and outcome.status == 200 for outcome in during)
                    verdict.expect(well, f"without storage no {deed} went well")
                house.bucket.start()
                verdict.served_again["uploads"] = house.seconds_until_it_serves(time.monotonic(), load.people[0].upload)
            time.sleep(2)
        judge(verdict, house, load, allowed={"storage_unavailable"})
    return verdict


if __name__ == "__main__":
    run(main)
