"""Fill the disk of SQLite's file, under load."""

from functools import partial

from tests.faults.aftermath import run
from tests.faults.fill_database import fill_up

if __name__ == "__main__":
    run(partial(fill_up, "sqlite"))
