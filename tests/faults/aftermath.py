"""Checks after a fault: acknowledged changes are there, leftovers are gone, and the service goes on."""

import argparse
import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import requests
from django.db import connections

from tests.faults.load import NO_ANSWER, Load, Outcome, digest
from tests.faults.service import Broken, Service, wait_until

REPORT = "FAULTS_REPORT"
SECONDS_AFTER = 3


@dataclass
class Verdict:
    """The result of a script: it failed if there are `problems`."""

    killed: str
    in_flight: Counter = field(default_factory=Counter)
    acknowledged: Counter = field(default_factory=Counter)
    answers: Counter = field(default_factory=Counter)
    orphans: int = 0
    slowest: float = 0
    served_again: dict[str, float] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def expect(self, holds: object, otherwise: str) -> None:
        if not holds:
            self.problems.append(otherwise)

    def lines(self) -> list[str]:
        return [
            f"killed        {self.killed}",
            f"in flight     {self.in_flight.total()}: {in_words(self.in_flight)}",
            f"answers       {in_words(self.answers)}; the slowest took {self.slowest:.1f} s",
            f"acknowledged  {in_words(self.acknowledged)}",
            f"lost          {'see below' if self.problems else 'nothing'}",
            f"left behind   {self.orphans} files without a row, found and removed by sweep_media",
            f"served again  {self.times}",
            *(f"PROBLEM       {problem}" for problem in self.problems),
            f"verdict       {'FAILED' if self.problems else 'good'}",
        ]

    @property
    def times(self) -> str:
        return ", ".join(f"{what}: {seconds:.1f} s" for what, seconds in self.served_again.items()) or "-"


def in_words(counts: Counter) -> str:
    return ", ".join(f"{number} {what}" for what, number in sorted(counts.items())) or "none"


def judge(verdict: Verdict, service: Service, load: Load, *, allowed: set[str], may_break_off: bool = False) -> None:
    """Check all that must hold after any fault. `allowed` are the codes that a 503 may have during the outage."""
    look_at_answers(verdict, load.outcomes, allowed=allowed, may_break_off=may_break_off)
    connections.close_all()
    go_on(verdict, service)
    wait_for_worker()
    verdict.expect(
        service.manage("recount", "--check", codes=(0, 1))[1] == "nothing to repair\n", "counters have drifted"
    )
    look_for_likes(verdict, service, load)
    look_for_plays(verdict, service, load)
    look_for_uploads(verdict, service, load)
    sweep(verdict, service)
    left = sorted(path.name for path in (service.folder / "tmp").iterdir())
    verdict.expect(not left, f"temporary files are left behind: {left}")
    if verdict.problems:
        service.show_logs()


def look_at_answers(verdict: Verdict, outcomes: list[Outcome], *, allowed: set[str], may_break_off: bool) -> None:
    for outcome in outcomes:
        verdict.slowest = max(verdict.slowest, outcome.ended - outcome.began)
        verdict.answers[f"{outcome.status or 'unanswered'} {outcome.code}".strip()] += 1
        if outcome.status == NO_ANSWER:
            verdict.expect(may_break_off, f"{outcome.action} was not answered")
        elif outcome.status >= 400:
            expected = outcome.status == 503 and outcome.code in allowed
            verdict.expect(expected, f"{outcome.action} was answered with {outcome.status} {outcome.code}")
    verdict.problems = list(dict.fromkeys(verdict.problems))


def go_on(verdict: Verdict, service: Service) -> None:
    """Run the same load again, during which no request may fail."""
    with Load(service, people=4) as load:
        time.sleep(SECONDS_AFTER)
    verdict.expect(load.outcomes, "nothing was answered afterwards")
    for outcome in load.outcomes:
        verdict.expect(
            200 <= outcome.status < 400,
            f"afterwards {outcome.action} was answered with {outcome.status} {outcome.code}",
        )


def wait_for_worker() -> None:
    from django_tasks_db.models import DBTaskResult

    def waiting() -> bool:
        return DBTaskResult.objects.ready().exists() or DBTaskResult.objects.running().exists()

    wait_until(lambda: not waiting(), "the worker to do all that waits", seconds=120)


def look_for_likes(verdict: Verdict, service: Service, load: Load) -> None:
    from music.models import SongLike

    rows = {(str(who), str(song)) for who, song in SongLike.objects.values_list("listener_id", "song_id")}
    for person in load.people:
        told = {song: is_liked for (token, song), is_liked in load.memory.likes.items() if token == person.token}
        verdict.acknowledged["likes"] += sum(is_liked is not None for is_liked in told.values())
        listener = user_id(service, person.token)
        liked = listed(service, person.token, "/api/songs/liked")
        for song, is_liked in told.items():
            in_database, over_http = (listener, song) in rows, song in liked
            verdict.expect(in_database == over_http, "a like differs between database and API")
            verdict.expect(is_liked in (None, in_database), f"a like that was answered is lost: {song}")


def look_for_plays(verdict: Verdict, service: Service, load: Load) -> None:
    from music.models import Play

    counted = Counter((str(who), str(song)) for who, song in Play.objects.values_list("listener_id", "song_id"))
    for person in load.people:
        listener, played = user_id(service, person.token), listed(service, person.token, "/api/songs/recently_played")
        for (token, song), was_answered in load.memory.plays.items():
            if token == person.token and was_answered:
                verdict.acknowledged["plays"] += 1
                verdict.expect(counted[listener, song], f"a play that was answered is lost: {song}")
                verdict.expect(song in played, f"a play is not in recently played: {song}")


def look_for_uploads(verdict: Verdict, service: Service, load: Load) -> None:
    from music.models import Song

    songs = {song.title: song for song in Song.objects.filter(title__in=load.memory.uploads)}
    for title, told in load.memory.uploads.items():
        song = songs.get(title)
        if told:
            verdict.acknowledged["uploads"] += 1
            verdict.expect(song, f"an upload that was answered is lost: {title}")
        if song:
            verdict.expect(title not in load.memory.gone, f"what was refused or deleted is there: {title}")
            with song.audio_file.open() as stored:
                verdict.expect(digest(stored.read()) == load.memory.sent[title], f"an upload was changed: {title}")
            verdict.expect(plays(service, song.pk), f"an upload does not play: {title}")


def sweep(verdict: Verdict, service: Service) -> None:
    """Sweep files of any age, since no upload is under way now."""
    _, found = service.manage("sweep_media", "--check", "--older-than", "0", codes=(0, 1))
    verdict.orphans += found.count("no row names it")
    verdict.expect("is missing" not in found, f"rows without their file:\n{found}")
    service.manage("sweep_media", "--older-than", "0", codes=(0, 1))
    code, _ = service.manage("sweep_media", "--check", "--older-than", "0", codes=(0, 1))
    verdict.expect(code == 0, "sweep_media leaves something")


def user_id(service: Service, token: str) -> str:
    return get(service, token, "/api/profile")["user"]["id"]


def listed(service: Service, token: str, path: str) -> set[str]:
    """Return the ids on all pages of a list."""
    found: set[str] = set()
    page = {"next": f"{service.url}{path}?limit=100"}
    while page["next"]:
        page = get(service, token, page["next"].removeprefix(service.url))
        found.update(song["id"] for song in page["results"])
    return found


def get(service: Service, token: str, path: str) -> dict:
    answer = requests.get(service.url + path, headers={"Authorization": f"Token {token}"}, timeout=30)
    if answer.status_code != 200:
        raise Broken(f"{path} was answered with {answer.status_code}: {answer.text[:200]}")
    return answer.json()


def plays(service: Service, song_id: object) -> bool:
    answer = requests.get(f"{service.url}/api/songs/{song_id}/stream", timeout=30)
    return answer.status_code == 200 and len(answer.content) > 0


def run(script: Callable[[bool], Verdict]) -> None:
    """Run a script from the command line; `--quick` makes it a short round."""
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument("--quick", action="store_true", help="a short round")
    quick = parser.parse_args().quick
    end_in_order_when_told()
    try:
        verdict = script(quick)
    except Broken as error:
        sys.exit(f"PROBLEM       {error}\nverdict       FAILED")
    print("\n".join(verdict.lines()), flush=True)
    if report := os.environ.get(REPORT):
        with open(report, "a") as lines:
            lines.write(json.dumps(vars(verdict)) + "\n")
    sys.exit(bool(verdict.problems))


def end_in_order_when_told() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, frame: sys.exit(128 + number))
