"""Fill the disk of PostgreSQL's tables, under load."""

import time
from functools import partial

from tests.faults.aftermath import Verdict, judge, run
from tests.faults.load import Load
from tests.faults.service import Service, fill, small_disk, wait_until

MEGABYTES = 96
MIX = {"like": 30, "play": 30, "upload": 10, "look": 20}


def fill_up(database: str, quick: bool) -> Verdict:
    verdict = Verdict(f"room on the disk of {database}: {MEGABYTES} MB, full for some seconds")
    with Service(database=database) as service, small_disk(service.database_disk, MEGABYTES):
        if database == "postgres":
            service.database.move_tables_to(service.database_disk)
        service.open()
        with Load(service, people=12, mix=MIX) as load:
            time.sleep(2 if quick else 5)
            verdict.in_flight += load.in_flight()
            ballast = fill(service.database_disk)
            full = time.monotonic()
            wait_until(partial(refusals, load, full), "a write to be refused")
            time.sleep(2 if quick else 10)
            looks = {outcome.status for outcome in load.since(full) if outcome.action == "look"}
            verdict.expect(looks == {200}, f"while nothing can be written, reading got {looks}")
            ballast.unlink()
            verdict.served_again["writes"] = service.seconds_until_it_serves(time.monotonic(), load.people[0].play)
            time.sleep(2)
        judge(verdict, service, load, allowed={"database_unavailable"})
    return verdict


def refusals(load: Load, since: float) -> int:
    return sum(outcome.code == "database_unavailable" for outcome in load.since(since))


if __name__ == "__main__":
    run(partial(fill_up, "postgres"))
