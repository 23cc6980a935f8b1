"""Restart PostgreSQL under load: in order, after a crash, and after a pause."""

import signal
import time

from tests.faults.aftermath import Verdict, judge, run
from tests.faults.load import Load
from tests.faults.service import Service


def main(quick: bool) -> Verdict:
    verdict = Verdict("PostgreSQL: restarted, crashed, and away for a while")
    with Service() as service:
        service.open()
        with Load(service, people=16) as load:
            for name, number, away in (
                ("restarted", signal.SIGINT, 0),
                ("crashed", signal.SIGQUIT, 0),
                ("back", signal.SIGINT, 3 if quick else 15),
            ):
                time.sleep(2 if quick else 5)
                verdict.in_flight += load.in_flight()
                service.database.stop(number)
                time.sleep(away)
                service.database.start()
                verdict.served_again[name] = service.seconds_until_it_serves(time.monotonic())
            time.sleep(2)
        judge(verdict, service, load, allowed={"database_unavailable"})
    return verdict


if __name__ == "__main__":
    run(main)
