"""Kill the worker with SIGKILL while it renders songs; another worker takes over."""

import time

from tests.faults.aftermath import Verdict, judge, run
from tests.faults.load import Load
from tests.faults.service import Service, kill, wait_until


def main(quick: bool) -> Verdict:
    verdict = Verdict("the worker, in the middle of a song")
    with Service() as service:
        service.open()
        from django_tasks_db.models import DBTaskResult

        from music.models import AudioAnalysis, Song

        with Load(service, people=6, audio_format="wav", seconds=60) as load:
            for _ in range(2 if quick else 5):
                being_prepared = DBTaskResult.objects.running().filter(queue_name="rendering")
                wait_until(being_prepared.exists, "the worker to begin a song")
                time.sleep(0.3)
                verdict.in_flight["rendering"] += being_prepared.count()
                verdict.in_flight += load.in_flight()
                killed_at = time.monotonic()
                kill(service.worker)
                ready = AudioAnalysis.objects.filter(status="ready").order_by()
                known = set(ready.values_list("pk", flat=True))
                service.start_worker()
                wait_until(ready.exclude(pk__in=known).exists, "a song to be ready")
                verdict.served_again["a song ready"] = time.monotonic() - killed_at
        judge(verdict, service, load, allowed=set())
        unready = Song.objects.exclude(audio_file="").exclude(analysis__status="ready").count()
        verdict.expect(not unready, f"{unready} songs were never prepared")
    return verdict


if __name__ == "__main__":
    run(main)
