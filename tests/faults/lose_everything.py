"""Database and files lost; a backup that was made under load is restored into new ones, and songs play."""

import time

from tests.faults.aftermath import Verdict, judge, plays, run
from tests.faults.house import Broken, House, Postgres, kill
from tests.faults.load import Load

MIX = {"like": 30, "play": 30, "upload": 20, "delete": 15, "look": 10}


def main(quick: bool) -> Verdict:
    verdict = Verdict("database and files; all is new but the backup")
    with House() as house:
        house.open()
        backup = house.folder / "backup"
        with Load(house, people=12, mix=MIX) as load:
            # The second one goes on from the first, as a nightly one would.
            for _ in range(2):
                time.sleep(3 if quick else 10)
                verdict.in_flight += load.in_flight()
                began = time.monotonic()
                house.manage("backup", str(backup))
                verdict.served_again["backup made in"] = time.monotonic() - began
        judge(verdict, house, load, allowed=set())
        lost = time.monotonic()
        kill(house.server)
        kill(house.worker)
        move_into_a_new_house(house)
        house.manage("restore", str(backup))
        check_what_was_restored(verdict, house)
        house.start_server()
        verdict.served_again["restored"] = house.seconds_until_it_serves(lost)
        check_that_it_plays(verdict, house)
    return verdict


def move_into_a_new_house(house: House) -> None:
    """The same, with an empty database and an empty folder."""
    from django.conf import settings
    from django.core.files.storage import default_storage
    from django.db import connections

    connections.close_all()
    house.database.close()
    house.media.rename(house.folder / "lost")
    house.media.mkdir()
    house.database = Postgres(house.folder / "new", prepared=None)
    house.ends.callback(house.database.close)
    house.environment["DATABASE_URL"] = house.database.url
    settings.DATABASES["default"]["HOST"] = str(house.database.folder)
    connections["default"].settings_dict["HOST"] = str(house.database.folder)
    if list(default_storage.listdir("")) != [[], []]:
        raise Broken("The new house is not empty.")


def check_what_was_restored(verdict: Verdict, house: House) -> None:
    _, drifted = house.manage("recount", "--check", codes=(0, 1))
    verdict.expect(drifted == "nothing to repair\n", f"counters of the backup have drifted:\n{drifted}")
    _, found = house.manage("sweep_media", "--check", "--older-than", "0", codes=(0, 1))
    verdict.expect("is missing" not in found, f"the backup has rows without their file:\n{found}")
    house.manage("sweep_media", "--older-than", "0")
    house.manage("sweep_media", "--check", "--older-than", "0")


def check_that_it_plays(verdict: Verdict, house: House) -> None:
    from music.models import Song

    songs = list(Song.objects.exclude(audio_file="").order_by("?")[:50].values_list("pk", flat=True))
    verdict.acknowledged["songs of the backup that play"] = sum(plays(house, song) for song in songs)
    verdict.expect(songs, "no song was restored")
    verdict.expect(all(plays(house, song) for song in songs), "a restored song does not play")


if __name__ == "__main__":
    run(main)
