"""The composer: turns the description of a piece into notes, the same notes for the same description and seed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random

STEPS_PER_BEAT = 4
KEYS = {"C": 0, "C#": 1, "D": 2, "Eb": 3, "E": 4, "F": 5, "F#": 6, "G": 7, "Ab": 8, "A": 9, "Bb": 10, "B": 11}
SCALES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "harmonic minor": (0, 2, 3, 5, 7, 8, 11),
}
SHORT_FORM = (("intro", 1), ("theme", 4), ("variation", 4), ("ending", 1))
SONG_FORM = (("intro", 2), ("theme", 4), ("variation", 4), ("ending", 2))
LONG_FORM = (("intro", 2), ("theme", 4), ("bridge", 4), ("variation", 4), ("ending", 2))
WALTZ_FORM = (("intro", 2), ("theme", 4), ("bridge", 4), ("variation", 8), ("ending", 2))
PLAYING = {
    "intro": {"chords", "bass"},
    "theme": {"lead", "chords", "bass", "drums"},
    "bridge": {"lead", "chords", "drums"},
    "variation": {"lead", "chords", "bass", "drums"},
    "ending": {"lead", "chords", "bass"},
}
LOUDNESS = {"lead": 0.50, "chords": 0.24, "bass": 0.36, "drums": 0.42}
CALM_CELLS = ((4,), (8,), (6, 2), (4, 4), (4, 2, 2))
LIVELY_CELLS = ((2, 2), (4,), (3, 1), (2, 1, 1), (6, 2), (3, 3, 2))
CONTOUR_MOVES = (-2, -1, -1, 1, 1, 1, 2)
SWING_DELAYS = (0, 1 / 3, 2 / 3, 1 / 3)
LOWEST_PLACE, HOME_PLACE, HIGHEST_PLACE = 0, 4, 9
LEAD_CENTRE, CHORD_CENTRE, BASS_CENTRE = 62, 60, 38
TAIL_SECONDS = 1.5


@dataclass(frozen=True)
class Piece:
    """The description of a piece.

    Patterns have one sign per step, four steps a beat, for one or more bars: `*` is the whole chord, a digit
    one of its notes from the lowest, `.` lets the last one sound, `,` stops it; drums have `x` or, soft, `o`.
    """

    title: str
    genre: str
    key: str
    scale: str
    tempo: float
    progression: tuple[int, ...]
    seed: int
    lead: str
    chords: str
    chord_pattern: str
    bass: str
    bass_pattern: str
    drums: Mapping[str, str]
    beats: int = 4
    chord_size: int = 3
    swing: float = 0.0
    lively: bool = False
    echo: float = 0.25
    form: tuple[tuple[str, int], ...] = SONG_FORM

    @property
    def accompaniment(self) -> dict[str, tuple[str, str]]:
        return {"chords": (self.chords, self.chord_pattern), "bass": (self.bass, self.bass_pattern)}

    @property
    def bar_steps(self) -> int:
        return self.beats * STEPS_PER_BEAT

    @property
    def step_seconds(self) -> float:
        return 60 / self.tempo / STEPS_PER_BEAT

    @property
    def bar_seconds(self) -> float:
        return self.bar_steps * self.step_seconds

    @property
    def bars(self) -> int:
        return sum(bars for _, bars in self.form)

    @property
    def seconds(self) -> float:
        return self.bars * self.bar_seconds + TAIL_SECONDS

    @property
    def fade_seconds(self) -> float:
        return self.bar_seconds / 2 + TAIL_SECONDS


@dataclass(frozen=True)
class Note:
    """A note or chord: `pitches` are MIDI numbers, several in a chord; a drum has none."""

    part: str
    instrument: str
    start: float
    seconds: float
    loudness: float
    pitches: tuple[int, ...] = ()


@dataclass(frozen=True)
class Motif:
    """A bar of melody: where its notes start and how long they last, in steps, and how far each goes up."""

    starts: tuple[int, ...]
    lengths: tuple[int, ...]
    moves: tuple[int, ...]


def compose(piece: Piece) -> list[Note]:
    """Return all notes of the piece in the order in which they start."""
    notes = [*_accompany(piece), *_sing(piece)]
    return sorted(notes, key=lambda note: note.start)


def _bars(piece: Piece) -> Iterator[tuple[int, str, int, int]]:
    """Yield number, section, bar within the section and chord of every bar; the ending rests on the tonic."""
    number = 0
    for section, bars in piece.form:
        for bar in range(bars):
            degree = 1 if section == "ending" else piece.progression[bar % len(piece.progression)]
            yield number, section, bar, degree
            number += 1


def _accompany(piece: Piece) -> Iterator[Note]:
    random = Random(f"{piece.seed} accompaniment")  # noqa: S311
    for number, section, _, degree in _bars(piece):
        if number == piece.bars - 1:
            yield from _final_chord(piece, number)
            continue
        if "chords" in PLAYING[section]:
            yield from _strokes(piece, "chords", number, _chord(piece, degree), random)
        if "bass" in PLAYING[section]:
            yield from _strokes(piece, "bass", number, _bass_notes(piece, degree), random)
        if "drums" in PLAYING[section]:
            yield from _drum_bar(piece, number, random)


def _strokes(piece: Piece, part: str, number: int, chord: list[int], random: Random) -> Iterator[Note]:
    instrument, pattern = piece.accompaniment[part]
    signs = _bar_of(pattern, piece, number)
    starts = [step for step, sign in enumerate(signs) if sign != "."]
    for start, end in zip(starts, [*starts[1:], len(signs)], strict=True):
        if signs[start] == ",":
            continue
        pitches = chord if signs[start] == "*" else [_voice(chord, int(signs[start]))]
        loudness = LOUDNESS[part] * _accent(start, random)
        yield _note(piece, part, instrument, number, start, end - start, loudness, *pitches)


def _drum_bar(piece: Piece, number: int, random: Random) -> Iterator[Note]:
    for drum, pattern in piece.drums.items():
        for step, sign in enumerate(_bar_of(pattern, piece, number)):
            if sign != ".":
                loudness = LOUDNESS["drums"] * _accent(step, random) * (1 if sign == "x" else 0.5)
                yield _note(piece, "drums", drum, number, step, 1, loudness)


def _final_chord(piece: Piece, number: int) -> Iterator[Note]:
    parts = [
        ("chords", piece.chords, _chord(piece, 1)),
        ("bass", piece.bass, _bass_notes(piece, 1)[:1]),
        ("lead", piece.lead, [_lead_pitch(piece, 7)]),
    ]
    steps = piece.bar_steps + round(TAIL_SECONDS / piece.step_seconds)
    for part, instrument, pitches in parts:
        yield _note(piece, part, instrument, number, 0, steps, LOUDNESS[part], *pitches)


def _sing(piece: Piece) -> Iterator[Note]:
    random = Random(f"{piece.seed} melody")  # noqa: S311
    phrases = _invent_phrases(piece, random)
    last = HOME_PLACE
    for number, section, bar, degree in _bars(piece):
        if section not in phrases or number == piece.bars - 1:
            continue
        motif = phrases[section][bar % len(phrases[section])]
        # The motif is known again because it starts from the same place; answer and close go on from it.
        places = _fit(motif, degree, last if bar % 4 > 1 else HOME_PLACE, chord_size=piece.chord_size)
        last = places[-1]
        for start, length, place in zip(motif.starts, motif.lengths, places, strict=True):
            loudness = LOUDNESS["lead"] * _accent(start, random)
            yield _note(piece, "lead", piece.lead, number, start, length, loudness, _lead_pitch(piece, place))


def _invent_phrases(piece: Piece, random: Random) -> dict[str, tuple[Motif, ...]]:
    """Invent phrases: a motif, its repeat on the next chord, an answer and a close, varied when they return."""
    theme, answer = _invent_motif(piece, random), _invent_motif(piece, random)
    close = Motif(starts=(0,), lengths=(piece.bar_steps - 2,), moves=(0,))
    return {
        "theme": (theme, theme, answer, close),
        "bridge": (answer, answer, theme, close),
        "variation": (_ornamented(theme), theme, _ornamented(answer), close),
        "ending": (theme,),
    }


def _invent_motif(piece: Piece, random: Random) -> Motif:
    cells = LIVELY_CELLS if piece.lively else CALM_CELLS
    lengths: list[int] = []
    while (room := piece.bar_steps - sum(lengths)) > 0:
        lengths += random.choice([cell for cell in cells if sum(cell) <= room])
    starts = [sum(lengths[:index]) for index in range(len(lengths))]
    moves = [0] + [random.choice(CONTOUR_MOVES) for _ in lengths[1:]]
    return Motif(tuple(starts), tuple(lengths), tuple(moves))


def _ornamented(motif: Motif) -> Motif:
    """Split each note of a beat or more in two: itself, and its upper neighbour on the way to the next."""
    notes: list[tuple[int, int, int]] = []
    owed = 0
    for start, length, move in zip(motif.starts, motif.lengths, motif.moves, strict=True):
        if length < STEPS_PER_BEAT:
            notes.append((start, length, move + owed))
            owed = 0
        else:
            notes += [(start, length - 2, move + owed), (start + length - 2, 2, 1)]
            owed = -1
    starts, lengths, moves = zip(*notes, strict=True)
    return Motif(starts, lengths, moves)


def _fit(motif: Motif, degree: int, place: int, *, chord_size: int) -> list[int]:
    """Return the scale degrees of the motif over a chord, with chord tones on every second beat."""
    places = []
    for start, length, move in zip(motif.starts, motif.lengths, motif.moves, strict=True):
        place = _reflected(place + move)
        if start % (2 * STEPS_PER_BEAT) == 0 or length > STEPS_PER_BEAT:
            place = _nearest_chord_tone(place, degree, chord_size=chord_size)
        places.append(place)
    return places


def _reflected(place: int) -> int:
    if place > HIGHEST_PLACE:
        return 2 * HIGHEST_PLACE - place
    return 2 * LOWEST_PLACE - place if place < LOWEST_PLACE else place


def _nearest_chord_tone(place: int, degree: int, *, chord_size: int) -> int:
    tones = {(degree - 1 + 2 * third) % 7 for third in range(chord_size)}
    candidates = [tone for tone in range(LOWEST_PLACE, HIGHEST_PLACE + 1) if tone % 7 in tones]
    return min(candidates, key=lambda tone: abs(tone - place))


def _scale_pitch(piece: Piece, place: int, centre: int = CHORD_CENTRE) -> int:
    octave, step = divmod(place, 7)
    return _near(KEYS[piece.key], centre) + 12 * octave + SCALES[piece.scale][step]


def _lead_pitch(piece: Piece, place: int) -> int:
    return _scale_pitch(piece, place, LEAD_CENTRE)


def _chord(piece: Piece, degree: int) -> list[int]:
    # Every note of the scale keeps one octave, so what two chords share stays and the rest moves by a step.
    thirds = range(piece.chord_size)
    return sorted(_near(_scale_pitch(piece, degree - 1 + 2 * third), CHORD_CENTRE) for third in thirds)


def _bass_notes(piece: Piece, degree: int) -> list[int]:
    """Return root, third and fifth, ascending."""
    root = _near(_scale_pitch(piece, degree - 1), BASS_CENTRE)
    lift = root - _scale_pitch(piece, degree - 1)
    return [_scale_pitch(piece, degree - 1 + 2 * third) + lift for third in range(3)]


def _near(pitch: int, centre: int) -> int:
    return (pitch - centre + 6) % 12 + centre - 6


def _voice(chord: list[int], index: int) -> int:
    octave, voice = divmod(index, len(chord))
    return chord[voice] + 12 * octave


def _bar_of(pattern: str, piece: Piece, number: int) -> str:
    first = number * piece.bar_steps % len(pattern)
    return pattern[first : first + piece.bar_steps]


def _accent(step: int, random: Random) -> float:
    return (1.0 if step % STEPS_PER_BEAT == 0 else 0.8) * random.uniform(0.88, 1.0)


def _note(
    piece: Piece,
    part: str,
    instrument: str,
    number: int,
    step: int,
    steps: int,
    loudness: float,
    *pitches: int,
) -> Note:
    swung = step + piece.swing * SWING_DELAYS[step % STEPS_PER_BEAT]
    start = number * piece.bar_seconds + swung * piece.step_seconds
    return Note(part, instrument, start, steps * piece.step_seconds, loudness, pitches)
