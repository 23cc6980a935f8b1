"""kill -9 of the server, of a part and of all of it, in the middle of uploads, plays and likes."""

import os
import signal
import time

from tests.faults.aftermath import Verdict, judge, run
from tests.faults.house import House, children_of, kill, kill_alone
from tests.faults.load import Load

MIX = {"like": 30, "play": 30, "upload": 30, "look": 10}


def main(quick: bool) -> Verdict:
    verdict = Verdict("the server: one process (it starts another), the first alone, all at once (started again)")
    with House() as house:
        house.open()
        with Load(house, people=16, mix=MIX) as load:
            for _ in range(1 if quick else 3):
                for name, killing in (("one", kill_one), ("the first", kill_the_first), ("all", kill_all)):
                    time.sleep(2)
                    verdict.in_flight += load.in_flight()
                    killed_at = time.monotonic()
                    killing(house)
                    verdict.served_again[name] = house.seconds_until_it_serves(killed_at)
            time.sleep(2)
        judge(verdict, house, load, allowed=set(), may_break_off=True)
    return verdict


def kill_one(house: House) -> None:
    os.kill(children_of(house.server)[-1], signal.SIGKILL)


def kill_the_first(house: House) -> None:
    kill_alone(house.server)
    house.start_server()


def kill_all(house: House) -> None:
    kill(house.server)
    house.start_server()


if __name__ == "__main__":
    run(main)
