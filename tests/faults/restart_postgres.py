"""PostgreSQL restarted under load: in order, by a crash, and away for a while."""

import signal
import time

from tests.faults.aftermath import Verdict, judge, run
from tests.faults.house import House
from tests.faults.load import Load


def main(quick: bool) -> Verdict:
    verdict = Verdict("PostgreSQL: restarted, crashed, and away for a while")
    with House() as house:
        house.open()
        with Load(house, people=16) as load:
            for name, number, away in (
                ("restarted", signal.SIGINT, 0),
                ("crashed", signal.SIGQUIT, 0),
                ("back", signal.SIGINT, 3 if quick else 15),
            ):
                time.sleep(2 if quick else 5)
                verdict.in_flight += load.in_flight()
                house.database.stop(number)
                time.sleep(away)
                house.database.start()
                verdict.served_again[name] = house.seconds_until_it_serves(time.monotonic())
            time.sleep(2)
        judge(verdict, house, load, allowed={"database_unavailable"})
    return verdict


if __name__ == "__main__":
    run(main)
