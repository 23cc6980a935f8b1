"""kill -9 of the server, first of one of its processes, then of all, in the middle of uploads, plays and likes."""

import os
import signal
import time

from tests.faults.aftermath import Verdict, judge, run
from tests.faults.house import House, children_of, kill
from tests.faults.load import Load


def main(quick: bool) -> Verdict:
    verdict = Verdict("one process of the server, then all of it, started again at once")
    with House() as house:
        house.open()
        house.seconds_until_it_serves(time.monotonic())
        mix = {"like": 30, "play": 30, "upload": 30, "look": 10}
        with Load(house, people=16, mix=mix) as load:
            for _ in range(1 if quick else 3):
                time.sleep(3)
                verdict.in_flight += load.in_flight()
                killed_at = time.monotonic()
                os.kill(children_of(house.server)[-1], signal.SIGKILL)
                verdict.served_again["one process"] = house.seconds_until_it_serves(killed_at)
                time.sleep(2)
                verdict.in_flight += load.in_flight()
                killed_at = time.monotonic()
                kill(house.server)
                house.start_server()
                verdict.served_again["all"] = house.seconds_until_it_serves(killed_at)
            time.sleep(2)
        judge(verdict, house, load, allowed=set(), may_break_off=True)
    return verdict


if __name__ == "__main__":
    run(main)
