"""What is left after a fault: what was promised is there, what was not is gone, and all goes on."""

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

from tests.faults.house import Broken, House, wait_until
from tests.faults.load import NO_ANSWER, Load, Outcome, digest

REPORT = "FAULTS_REPORT"
SECONDS_AFTER = 3


@dataclass
class Verdict:
    """What a script has to say; `problems` decide."""

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


def judge(verdict: Verdict, house: House, load: Load, *, allowed: set[str], may_break_off: bool = False) -> None:
    """Checks all that has to hold after any fault. `allowed` are codes of 503 that an outage may bring."""
    look_at_answers(verdict, load.outcomes, allowed=allowed, may_break_off=may_break_off)
    connections.close_all()
    go_on(verdict, house)
    wait_for_worker()
    verdict.expect(
        house.manage("recount", "--check", codes=(0, 1))[1] == "nothing to repair\n", "counters have drifted"
    )
    look_for_likes(verdict, house, load)
    look_for_plays(verdict, house, load)
    look_for_uploads(verdict, house, load)
    sweep(verdict, house)
    left = sorted(path.name for path in (house.folder / "tmp").iterdir())
    verdict.expect(not left, f"temporary files are left behind: {left}")
    if verdict.problems:
        house.show_logs()


def look_at_answers(verdict: Verdict, outcomes: list[Outcome], *, allowed: set[str], may_break_off: bool) -> None:
    for outcome in outcomes:
        verdict.slowest = max(verdict.slowest, outcome.ended - outcome.began)
        verdict.answers[f"{outcome.status or 'unanswered'} {outcome.code}".strip()] += 1
        if outcome.status == NO_ANSWER:
            verdict.expect(may_break_off, f"{outcome.deed} was not answered")
        elif outcome.status >= 400:
            expected = outcome.status == 503 and outcome.code in allowed
            verdict.expect(expected, f"{outcome.deed} was answered with {outcome.status} {outcome.code}")
    verdict.problems = list(dict.fromkeys(verdict.problems))


def go_on(verdict: Verdict, house: House) -> None:
    """The same load once more, and now nothing may fail."""
    with Load(house, people=4) as load:
        time.sleep(SECONDS_AFTER)
    verdict.expect(load.outcomes, "nothing was answered afterwards")
    for outcome in load.outcomes:
        verdict.expect(
            200 <= outcome.status < 400, f"afterwards {outcome.deed} was answered with {outcome.status} {outcome.code}"
        )


def wait_for_worker() -> None:
    from django_tasks_db.models import DBTaskResult

    def waiting() -> bool:
        return DBTaskResult.objects.ready().exists() or DBTaskResult.objects.running().exists()

    wait_until(lambda: not waiting(), "the worker to do all that waits", seconds=120)


def look_for_likes(verdict: Verdict, house: House, load: Load) -> None:
    from music.models import SongLike

    rows = {(str(who), str(song)) for who, song in SongLike.objects.values_list("listener_id", "song_id")}
    for person in load.people:
        told = {song: is_liked for (token, song), is_liked in load.memory.likes.items() if token == person.token}
        verdict.acknowledged["likes"] += sum(is_liked is not None for is_liked in told.values())
        listener = user_id(house, person.token)
        liked = listed(house, person.token, "/api/songs/liked")
        for song, is_liked in told.items():
            in_database, over_http = (listener, song) in rows, song in liked
            verdict.expect(in_database == over_http, "a like differs between database and API")
            verdict.expect(is_liked in (None, in_database), f"a like that was answered is lost: {song}")


def look_for_plays(verdict: Verdict, house: House, load: Load) -> None:
    from music.models import Play

    counted = Counter((str(who), str(song)) for who, song in Play.objects.values_list("listener_id", "song_id"))
    for person in load.people:
        listener, played = user_id(house, person.token), listed(house, person.token, "/api/songs/recently_played")
        for (token, song), was_answered in load.memory.plays.items():
            if token == person.token and was_answered:
                verdict.acknowledged["plays"] += 1
                verdict.expect(counted[listener, song], f"a play that was answered is lost: {song}")
                verdict.expect(song in played, f"a play is not in recently played: {song}")


def look_for_uploads(verdict: Verdict, house: House, load: Load) -> None:
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
            verdict.expect(plays(house, song.pk), f"an upload does not play: {title}")


def sweep(verdict: Verdict, house: House) -> None:
    """Nothing else is running now, so no file is too young."""
    _, found = house.manage("sweep_media", "--check", "--older-than", "0", codes=(0, 1))
    verdict.orphans += found.count("no row names it")
    verdict.expect("is missing" not in found, f"rows without their file:\n{found}")
    house.manage("sweep_media", "--older-than", "0", codes=(0, 1))
    code, _ = house.manage("sweep_media", "--check", "--older-than", "0", codes=(0, 1))
    verdict.expect(code == 0, "sweep_media leaves something")


def user_id(house: House, token: str) -> str:
    return get(house, token, "/api/profile")["user"]["id"]


def listed(house: House, token: str, path: str) -> set[str]:
    """The ids on all pages."""
    found: set[str] = set()
    page = {"next": f"{house.url}{path}?limit=100"}
    while page["next"]:
        page = get(house, token, page["next"].removeprefix(house.url))
        found.update(song["id"] for song in page["results"])
    return found


def get(house: House, token: str, path: str) -> dict:
    answer = requests.get(house.url + path, headers={"Authorization": f"Token {token}"}, timeout=30)
    if answer.status_code != 200:
        raise Broken(f"{path} was answered with {answer.status_code}: {answer.text[:200]}")
    return answer.json()


def plays(house: House, song_id: object) -> bool:
    answer = requests.get(f"{house.url}/api/songs/{song_id}/stream", timeout=30)
    return answer.status_code == 200 and len(answer.content) > 0


def run(script: Callable[[bool], Verdict]) -> None:
    """What each script does when it is started: `--quick` makes it a short round."""
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
