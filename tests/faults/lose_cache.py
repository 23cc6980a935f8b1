"""Redis gone, and back, and then there without answering: nobody is to notice."""

import time

from tests.faults.aftermath import Verdict, judge, run
from tests.faults.house import House
from tests.faults.load import Load

LONGEST_WAIT = 5


def main(quick: bool) -> Verdict:
    verdict = Verdict("the cache: gone, back, and then frozen")
    seconds = 3 if quick else 10
    with House(redis=True) as house:
        house.open()
        house.seconds_until_it_serves(time.monotonic())
        with Load(house, people=12, mix={"like": 20, "play": 20, "look": 20, "shelf": 30, "upload": 5}) as load:
            time.sleep(seconds)
            verdict.in_flight += load.in_flight()
            house.cache.stop()
            verdict.served_again["gone"] = house.seconds_until_it_serves(time.monotonic(), load.people[0].shelf)
            time.sleep(seconds)
            house.cache.start()
            verdict.served_again["back"] = house.seconds_until_it_serves(time.monotonic(), load.people[0].shelf)
            time.sleep(seconds)
            house.cache.freeze()
            verdict.served_again["frozen"] = house.seconds_until_it_serves(time.monotonic(), load.people[0].shelf)
            time.sleep(seconds)
            house.cache.thaw()
        judge(verdict, house, load, allowed=set())
        verdict.expect(verdict.slowest < LONGEST_WAIT, f"somebody waited {verdict.slowest:.1f} s")
    return verdict


if __name__ == "__main__":
    run(main)
