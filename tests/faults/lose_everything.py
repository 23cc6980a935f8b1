"""Make backups under load, restore one into an empty database and folder, and play its songs."""

import time

from tests.faults.aftermath import Verdict, judge, plays, run
from tests.faults.load import Load
from tests.faults.service import Broken, Postgres, Service, kill

MIX = {"like": 30, "play": 30, "upload": 20, "delete": 15, "look": 10}


def main(quick: bool) -> Verdict:
    verdict = Verdict("database and files; all is new but the backup")
    with Service() as service:
        service.open()
        backup = service.folder / "backup"
        with Load(service, people=12, mix=MIX) as load:
            # The second one goes on from the first, as a nightly one would.
            for _ in range(2):
                time.sleep(3 if quick else 10)
                verdict.in_flight += load.in_flight()
                began = time.monotonic()
                service.manage("backup", str(backup))
                verdict.served_again["backup made in"] = time.monotonic() - began
        judge(verdict, service, load, allowed=set())
        lost = time.monotonic()
        kill(service.server)
        kill(service.worker)
        move_into_a_new_service(service)
        service.manage("restore", str(backup))
        check_what_was_restored(verdict, service)
        service.start_server()
        verdict.served_again["restored"] = service.seconds_until_it_serves(lost)
        check_that_it_plays(verdict, service)
    return verdict


def move_into_a_new_service(service: Service) -> None:
    """Point the service at an empty database and an empty folder."""
    from django.conf import settings
    from django.core.files.storage import default_storage
    from django.db import connections

    connections.close_all()
    service.database.close()
    service.media.rename(service.folder / "lost")
    service.media.mkdir()
    service.database = Postgres(service.folder / "new", prepared=None)
    service.ends.callback(service.database.close)
    service.environment["DATABASE_URL"] = service.database.url
    settings.DATABASES["default"]["HOST"] = str(service.database.folder)
    connections["default"].settings_dict["HOST"] = str(service.database.folder)
    if list(default_storage.listdir("")) != [[], []]:
        raise Broken("The new service is not empty.")


def check_what_was_restored(verdict: Verdict, service: Service) -> None:
    _, drifted = service.manage("recount", "--check", codes=(0, 1))
    verdict.expect(drifted == "nothing to repair\n", f"counters of the backup have drifted:\n{drifted}")
    _, found = service.manage("sweep_media", "--check", "--older-than", "0", codes=(0, 1))
    verdict.expect("is missing" not in found, f"the backup has rows without their file:\n{found}")
    service.manage("sweep_media", "--older-than", "0")
    service.manage("sweep_media", "--check", "--older-than", "0")


def check_that_it_plays(verdict: Verdict, service: Service) -> None:
    from music.models import Song

    songs = list(Song.objects.exclude(audio_file="").order_by("?")[:50].values_list("pk", flat=True))
    verdict.acknowledged["songs of the backup that play"] = sum(plays(service, song) for song in songs)
    verdict.expect(songs, "no song was restored")
    verdict.expect(all(plays(service, song) for song in songs), "a restored song does not play")


if __name__ == "__main__":
    run(main)
