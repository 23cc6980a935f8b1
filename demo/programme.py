"""The demo catalogue: artists, releases and the descriptions of their pieces."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial

from .composition import LONG_FORM, SHORT_FORM, SONG_FORM, WALTZ_FORM, Piece

HELD = "*..............."
HELD_TWICE = "*.......*......."
ROLLING = "0...1...2...3..."
FLOWING = "0.1.2.3.4.3.2.1."
QUICK_ARPEGGIO = "0123012301230123"
TURNING = "0.2.1.3.0.2.4.3."
CROSSING = "0..1..2..1..0.2.1..2..0..1..3.1."
OFFBEAT = ",.*.,.*.,.*.,.*."
LAZY = "*.....*...*....."
WALTZ = ",...*...*..."
WALTZ_FLOWING = "0.1.2.3.2.1."

LONG_ROOT = "0..............."
ROOT_AND_FIFTH = "0.......2......."
DRIVING = "0.0.0.0.0.0.0.0."
OCTAVES = "0.3.0.3.0.3.0.3."
WALKING = "0...1...2...3..."
LAZY_BASS = "0.....0.2......."
BOUNCING = "0..0..2.0..0..3."
WALTZ_ROOT = "0...,......."
WALTZ_CELLO = "0..........."

SILENCE: dict[str, str] = {}
SHIMMER = {"shaker": "..o...o...o...o."}
BACKBEAT = {"kick": "x.......x.......", "snare": "....x.......x...", "hat": "x.o.x.o.x.o.x.o."}
FOUR_ON_THE_FLOOR = {"kick": "x...x...x...x...", "clap": "....x.......x...", "open hat": "..x...x...x...x."}
GALLOP = {"kick": "x..x....x..x....", "snare": "....x.......x..o", "hat": "xoxoxoxoxoxoxoxo"}
DUSTY = {"soft kick": "x......x..x.....", "rim": "....x.......x...", "hat": "o.x.o.x.o.x.o.xo"}
BRUSHED = {"soft kick": "x.........x.....", "brush": "....x.......x..o", "shaker": "o.o.o.o.o.o.o.o."}
HALF_TIME = {
    "kick": "x.....x.........",
    "snare": "........x.......",
    "hat": "x.x.x.x.x.x.x.xx",
    "tom": "..............x.",
}
CLOCKWORK = {"rim": "x..x..x.x..x.x..", "shaker": "o.xoo.xoo.xoo.xo", "soft kick": "x.......x......."}
WALTZ_BRUSHES = {"soft kick": "x...........", "brush": "....x...o..."}

ambient = partial(
    Piece,
    genre="Ambient",
    lead="bell",
    chords="pad",
    chord_pattern=HELD,
    bass="round bass",
    bass_pattern=LONG_ROOT,
    drums=SILENCE,
    chord_size=4,
    echo=0.42,
    form=SHORT_FORM,
)
waltz = partial(
    Piece,
    genre="Waltz",
    lead="flute",
    chords="piano",
    chord_pattern=WALTZ,
    bass="pluck",
    bass_pattern=WALTZ_ROOT,
    drums=SILENCE,
    beats=3,
    echo=0.18,
    form=WALTZ_FORM,
)
chiptune = partial(
    Piece,
    genre="Chiptune",
    lead="chip lead",
    chords="chip chords",
    chord_pattern=QUICK_ARPEGGIO,
    bass="chip bass",
    bass_pattern=OCTAVES,
    drums=BACKBEAT,
    lively=True,
    echo=0.15,
)
synthwave = partial(
    Piece,
    genre="Synthwave",
    lead="synth lead",
    chords="strings",
    chord_pattern=HELD,
    bass="synth bass",
    bass_pattern=DRIVING,
    drums=FOUR_ON_THE_FLOOR,
    echo=0.3,
)
lofi = partial(
    Piece,
    genre="Lo-fi",
    lead="electric piano",
    chords="electric piano",
    chord_pattern=LAZY,
    bass="round bass",
    bass_pattern=LAZY_BASS,
    drums=DUSTY,
    chord_size=4,
    swing=0.75,
    form=SHORT_FORM,
)
minimal = partial(
    Piece,
    genre="Minimal",
    lead="marimba",
    chords="marimba",
    chord_pattern=CROSSING,
    bass="round bass",
    bass_pattern=LONG_ROOT,
    drums=CLOCKWORK,
    lively=True,
    echo=0.3,
)
folk = partial(
    Piece,
    genre="Folk",
    lead="pluck",
    chords="pluck",
    chord_pattern=FLOWING,
    bass="round bass",
    bass_pattern=ROOT_AND_FIFTH,
    drums=SHIMMER,
    echo=0.2,
)


@dataclass(frozen=True)
class Cover:
    """A cover: `drawing` is a name in covers.DRAWINGS; colours go from the background to the brightest accent."""

    drawing: str
    colours: tuple[str, str, str, str]
    seed: int


@dataclass(frozen=True)
class Release:
    """An album, or a single, which has one piece and stands without an album."""

    title: str
    released: date
    cover: Cover
    pieces: tuple[Piece, ...]
    is_album: bool = True
    explicit: bool = False


@dataclass(frozen=True)
class Artist:
    name: str
    email: str
    releases: tuple[Release, ...]


TIDEWATER_LETTERS = Release(
    title="Tidewater Letters",
    released=date(2023, 3, 17),
    cover=Cover("moonrise", ("#0b1d3a", "#1f4e79", "#7fb7be", "#f6e7cb"), seed=3),
    pieces=(
        ambient("Harbour Before Light", key="D", scale="lydian", tempo=84, progression=(1, 5, 2, 1), seed=11),
        ambient("Salt on the Window", key="A", scale="minor", tempo=76, progression=(1, 6, 3, 7), seed=12),
        ambient(
            "What the Estuary Kept",
            key="F",
            scale="major",
            tempo=92,
            progression=(4, 1, 6, 5),
            seed=13,
            lead="flute",
            chord_pattern=ROLLING,
            chords="piano",
            drums=SHIMMER,
        ),
        ambient(
            "Lantern, Drifting",
            key="E",
            scale="dorian",
            tempo=80,
            progression=(1, 4, 1, 7),
            seed=14,
            lead="electric piano",
        ),
    ),
)
SMALL_WALTZES = Release(
    title="Small Waltzes for a Large Kitchen",
    released=date(2024, 11, 8),
    cover=Cover("petals", ("#f4e9dc", "#c8553d", "#588b8b", "#f28f3b"), seed=8),
    pieces=(
        waltz("The Kettle Takes the Lead", key="G", scale="major", tempo=138, progression=(1, 6, 2, 5), seed=21),
        waltz(
            "Flour in the Sunlight",
            key="Bb",
            scale="major",
            tempo=118,
            progression=(1, 4, 5, 1),
            seed=22,
            lead="bell",
            chord_pattern=WALTZ_FLOWING,
            bass_pattern=WALTZ_CELLO,
        ),
        waltz(
            "Aunt Odile Disapproves",
            key="C",
            scale="harmonic minor",
            tempo=150,
            progression=(1, 4, 5, 1),
            seed=23,
            lively=True,
            drums=WALTZ_BRUSHES,
            lead="pluck",
        ),
        waltz(
            "Last Plate, Last Dance",
            key="E",
            scale="minor",
            tempo=112,
            progression=(1, 3, 6, 7),
            seed=24,
            chords="strings",
            lead="piano",
            bass="round bass",
            bass_pattern=WALTZ_CELLO,
        ),
    ),
)
CARTRIDGE_SUMMER = Release(
    title="Cartridge Summer",
    released=date(2022, 6, 24),
    cover=Cover("tiles", ("#1a1c2c", "#5d275d", "#38b764", "#ffcd75"), seed=5),
    pieces=(
        chiptune("Press Start to Bloom", key="C", scale="major", tempo=140, progression=(1, 5, 6, 4), seed=31),
        chiptune(
            "Bonus Level Bicycle",
            key="G",
            scale="mixolydian",
            tempo=160,
            progression=(1, 7, 4, 1),
            seed=32,
            bass_pattern=BOUNCING,
            form=LONG_FORM,
        ),
        chiptune(
            "Cave of Polite Bats",
            key="E",
            scale="harmonic minor",
            tempo=126,
            progression=(1, 6, 4, 5),
            seed=33,
            chord_pattern=TURNING,
            drums=GALLOP,
        ),
        chiptune(
            "Save Point by the Sea",
            key="F",
            scale="lydian",
            tempo=104,
            progression=(1, 2, 6, 5),
            seed=34,
            chord_pattern=FLOWING,
            bass_pattern=ROOT_AND_FIFTH,
            lively=False,
            drums=SHIMMER,
        ),
        chiptune(
            "Final Boss Is Shy",
            key="D",
            scale="minor",
            tempo=168,
            progression=(1, 6, 7, 5),
            seed=35,
            bass_pattern=DRIVING,
            drums=GALLOP,
            form=LONG_FORM,
        ),
    ),
)
MIDNIGHT_CAUSEWAY = Release(
    title="Midnight Causeway",
    released=date(2024, 2, 2),
    cover=Cover("sunset", ("#14052b", "#6a1b78", "#ff4f8b", "#ffd166"), seed=1),
    pieces=(
        synthwave("Toll Booth Romance", key="A", scale="minor", tempo=112, progression=(1, 6, 3, 7), seed=41),
        synthwave(
            "Chrome Heron",
            key="F#",
            scale="minor",
            tempo=124,
            progression=(6, 7, 1, 1),
            seed=42,
            bass_pattern=OCTAVES,
            form=LONG_FORM,
        ),
        synthwave(
            "Radio Mast Lullaby",
            key="D",
            scale="dorian",
            tempo=92,
            progression=(1, 4, 7, 1),
            seed=43,
            drums=HALF_TIME,
            chord_pattern=HELD_TWICE,
            lead="electric piano",
            form=SHORT_FORM,
        ),
        synthwave(
            "Exit Only, No Return",
            key="C",
            scale="minor",
            tempo=132,
            progression=(1, 3, 7, 4),
            seed=44,
            chords="synth lead",
            chord_pattern=OFFBEAT,
            lively=True,
            form=LONG_FORM,
        ),
    ),
)
RAIN_ON_TIN = Release(
    title="Rain on Tin",
    released=date(2025, 9, 12),
    cover=Cover("hills", ("#2b2d42", "#6d6875", "#b5838d", "#ffcdb2"), seed=4),
    pieces=(
        lofi("Third Cup, Still Tuesday", key="Eb", scale="major", tempo=80, progression=(2, 5, 1, 6), seed=51),
        lofi(
            "Borrowed Umbrella",
            key="F",
            scale="dorian",
            tempo=74,
            progression=(1, 4, 1, 4),
            seed=52,
            lead="flute",
            drums=BRUSHED,
        ),
        lofi(
            "Library Closes at Nine",
            key="C",
            scale="major",
            tempo=86,
            progression=(4, 3, 2, 1),
            seed=53,
            lead="piano",
            chords="piano",
            bass_pattern=WALKING,
        ),
        lofi(
            "Moths Around the Amplifier",
            key="G",
            scale="minor",
            tempo=78,
            progression=(1, 6, 4, 7),
            seed=54,
            lead="pluck",
            drums=BRUSHED,
        ),
    ),
)
SLOW_ARITHMETIC = Release(
    title="Slow Arithmetic",
    released=date(2026, 1, 30),
    cover=Cover("strings", ("#f7f3e9", "#22223b", "#e07a5f", "#3d8b7d"), seed=9),
    pieces=(
        minimal("Seven Is a Window", key="D", scale="major", tempo=120, progression=(1, 6, 4, 5), seed=61),
        minimal(
            "Carry the One",
            key="B",
            scale="minor",
            tempo=132,
            progression=(1, 1, 6, 7),
            seed=62,
            chords="pluck",
            chord_pattern=TURNING,
            form=LONG_FORM,
        ),
        minimal(
            "Remainder",
            key="Ab",
            scale="lydian",
            tempo=108,
            progression=(1, 2, 1, 2),
            seed=63,
            lead="piano",
            lively=False,
        ),
    ),
)
FENCEPOST_SONG = Release(
    title="Fencepost Song",
    released=date(2025, 5, 2),
    cover=Cover("hills", ("#17392f", "#7fb69a", "#5b9a7a", "#f9dc8f"), seed=21),
    pieces=(
        folk(
            "Fencepost Song",
            key="G",
            scale="major",
            tempo=108,
            progression=(1, 4, 6, 5),
            seed=71,
            form=SONG_FORM,
        ),
    ),
    is_album=False,
)
PIPE_DREAM = Release(
    title="Pipe Dream Parking Lot",
    released=date(2026, 4, 10),
    cover=Cover("tiles", ("#fff1d0", "#dd1c1a", "#06aed5", "#086788"), seed=12),
    pieces=(
        lofi(
            "Pipe Dream Parking Lot",
            genre="Soul",
            key="Bb",
            scale="mixolydian",
            tempo=96,
            progression=(1, 4, 1, 5),
            seed=72,
            lead="organ",
            chords="electric piano",
            drums=BACKBEAT,
            swing=0.4,
            lively=True,
            form=SONG_FORM,
        ),
    ),
    is_album=False,
    explicit=True,
)

ARTISTS = (
    Artist(
        name="Luna Varga",
        email="luna@example.com",
        releases=(TIDEWATER_LETTERS, SMALL_WALTZES),
    ),
    Artist(
        name="Pixel Orchard",
        email="pixel.orchard@example.com",
        releases=(CARTRIDGE_SUMMER,),
    ),
    Artist(
        name="Vesper Circuit",
        email="vesper.circuit@example.com",
        releases=(MIDNIGHT_CAUSEWAY,),
    ),
    Artist(
        name="Otto Lindqvist",
        email="otto@example.com",
        releases=(RAIN_ON_TIN, PIPE_DREAM),
    ),
    Artist(
        name="Isle & Thread",
        email="isle.and.thread@example.com",
        releases=(SLOW_ARITHMETIC, FENCEPOST_SONG),
    ),
)


def every_piece() -> Iterator[Piece]:
    for artist in ARTISTS:
        for release in artist.releases:
            yield from release.pieces
