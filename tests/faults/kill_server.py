"""Kill one process of the server, then all of them, with SIGKILL during uploads, plays and likes."""

import os
import signal
import time

from tests.faults.aftermath import Verdict, judge, run
from tests.faults.load import Load
from tests.faults.service import Service, children_of, kill, kill_alone

MIX = {"like": 30, "play": 30, "upload": 30, "look": 10}


def main(quick: bool) -> Verdict:
    verdict = Verdict("the server: one process (it starts another), the first alone, all at once (started again)")
    with Service() as service:
        service.open()
        with Load(service, people=16, mix=MIX) as load:
            for _ in range(1 if quick else 3):
                for name, killing in (("one", kill_one), ("the first", kill_the_first), ("all", kill_all)):
                    time.sleep(2)
                    verdict.in_flight += load.in_flight()
                    killed_at = time.monotonic()
                    killing(service)
                    verdict.served_again[name] = service.seconds_until_it_serves(killed_at)
            time.sleep(2)
        judge(verdict, service, load, allowed=set(), may_break_off=True)
    return verdict


def kill_one(service: Service) -> None:
    os.kill(children_of(service.server)[-1], signal.SIGKILL)


def kill_the_first(service: Service) -> None:
    kill_alone(service.server)
    service.start_server()


def kill_all(service: Service) -> None:
    kill(service.server)
    service.start_server()


if __name__ == "__main__":
    run(main)
