"""The synthesizer, in plain Python: slow work is done once per pitch, the rest on whole lists of samples."""

import io
import wave
from array import array
from collections.abc import Callable
from functools import cache, lru_cache
from itertools import accumulate, repeat
from math import exp, pi, sin
from operator import add, mul
from random import Random

from .composition import Note, Piece, compose

RATE = 22050
PEAK = 0.9
MEAN_LEVEL = 0.17
LANE = 32
RAISE = 1 << 24
FULL_SCALE = 1 << 14
LOUDNESS_STEPS = 1 << 7
ECHO_STEPS = 1 << 5
ECHOES = 3
DRY = {"bass", "drums"}
TUNING_ERROR = 0.0003
SAW = tuple(1 / n for n in range(1, 25))
MELLOW_SAW = tuple(1 / n**1.9 for n in range(1, 9))
SQUARE = tuple(n % 2 / n for n in range(1, 24))
PULSE = tuple(sin(pi * n / 4) / n for n in range(1, 24))
TRIANGLE = (1, 0, -1 / 9, 0, 1 / 25, 0, -1 / 49)
STRUCK = (1, 0.5, 0.25, 0.12, 0.05)
BRIGHT_STRUCK = (0.4, 0.5, 0.5, 0.4, 0.35, 0.3, 0.2, 0.15, 0.1)
ORGAN = (1, 0.7, 0.4, 0.45, 0, 0.2, 0, 0.15)
ROUND = (1, 0.35, 0.12, 0.04)

Samples = list[float]
# A recording packed into one integer, LANE bits a sample: adding two, or making one louder, is then a single
# operation on long integers, some thirty times faster than a loop over their samples.
Packed = int


def render_piece(piece: Piece) -> bytes:
    """Return the piece as a WAV file with two channels of 16 bits."""
    left, right = _mixed(piece, compose(piece))
    gain = _gain(_unpacked(left), _unpacked(right))
    sides = [_faded(_finished(side, gain, round(piece.seconds * RATE)), piece) for side in (left, right)]
    return _wav(*sides)


def _mixed(piece: Piece, notes: list[Note]) -> tuple[Packed, Packed]:
    """Mix the parts: bass and drums dry in the middle, the rest with an echo of a different length on each side."""
    middle = _layer([note for note in notes if note.part in DRY]) * ECHO_STEPS
    around = _layer([note for note in notes if note.part not in DRY])
    beat = 60 / piece.tempo
    left, right = (_echoed(around, seconds=beat * beats, strength=piece.echo) for beats in (0.75, 0.5))
    return left + middle, right + middle


def _layer(notes: list[Note], origin: int = 0) -> Packed:
    """Add up all notes recursively by halves, so that most sums are short."""
    start = round(notes[0].start * RATE)
    middle = len(notes) // 2
    layer = _layer(notes[:middle], start) + _layer(notes[middle:], start) if middle else _played(notes[0])
    return layer << LANE * (start - origin)


def _played(note: Note) -> Packed:
    loudness = round(LOUDNESS_STEPS * note.loudness / max(1, len(note.pitches)) ** 0.5)
    if not note.pitches:
        return _drum(note.instrument) * loudness
    return sum(_voice(note.instrument, pitch, round(note.seconds, 3)) for pitch in note.pitches) * loudness


@cache
def _drum(name: str) -> Packed:
    return _packed(DRUMS[name]())


@lru_cache(maxsize=128)
def _voice(instrument: str, pitch: int, seconds: float) -> Packed:
    return _packed(INSTRUMENTS[instrument](440 * 2 ** ((pitch - 69) / 12), seconds))


def _echoed(sound: Packed, *, seconds: float, strength: float) -> Packed:
    delay = LANE * round(seconds * RATE)
    return sum((sound << delay * n) * round(ECHO_STEPS * strength**n) for n in range(ECHOES + 1))


def _packed(samples: Samples) -> Packed:
    # Lanes hold no sign: each sample is raised above zero, and what was added to all is taken off the whole.
    raised = array("I", [int(FULL_SCALE * sample) + RAISE for sample in samples])
    return int.from_bytes(raised, "little") - int.from_bytes(array("I", [RAISE]) * len(samples), "little")


def _unpacked(sound: Packed) -> array:
    lanes = sound.bit_length() // LANE + 1
    return array("i", sound.to_bytes(lanes * LANE // 8, "little", signed=True))


def _gain(left: array, right: array) -> int:
    peak = max(max(left), -min(left), max(right), -min(right))
    every_eighth = left[::8]
    level = (sum(map(mul, every_eighth, every_eighth)) / len(every_eighth)) ** 0.5
    return int(2 ** (LANE - 1) * min(PEAK / peak, MEAN_LEVEL / level))


def _finished(sound: Packed, gain: int, frames: int) -> array:
    """Return the upper halves of the lanes, which are samples of 16 bits."""
    halves = array("h", _unpacked(sound * gain).tobytes() + bytes(frames * LANE // 8))
    return halves[1 : 2 * frames : 2]


def _faded(frames: array, piece: Piece) -> array:
    length = round(piece.fade_seconds * RATE)
    ending = [int(frame * (1 - index / length) ** 1.5) for index, frame in enumerate(frames[-length:])]
    return frames[:-length] + array("h", ending)


def _wav(left: array, right: array) -> bytes:
    frames = array("h", bytes(4 * len(left)))
    frames[0::2], frames[1::2] = left, right
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((2, 2, RATE, 0, "NONE", "not compressed"))
        writer.writeframes(frames.tobytes())
    return file.getvalue()


def _tone(frequency: float, harmonics: tuple[float, ...], frames: int) -> Samples:
    loop = _loop(frequency, harmonics)
    return (loop * (frames // len(loop) + 1))[:frames]


@lru_cache(maxsize=256)
def _loop(frequency: float, harmonics: tuple[float, ...]) -> Samples:
    """Return the fewest whole periods that end close enough to a sample boundary for a repeat to stay in tune."""
    period = RATE / frequency
    periods = next(n for n in range(1, 1000) if abs(n * period / round(n * period) - 1) < TUNING_ERROR)
    length = round(periods * period)
    sine = [sin(2 * pi * index / length) for index in range(length)]
    audible = [(n, level) for n, level in enumerate(harmonics, 1) if level and n * frequency < 0.45 * RATE]
    return [sum([level * sine[i * n * periods % length] for n, level in audible]) for i in range(length)]


def _detuned(frequency: float, harmonics: tuple[float, ...], frames: int, spread: float) -> Samples:
    low = _tone(frequency * (1 - spread), harmonics, frames)
    high = _tone(frequency * (1 + spread), harmonics, frames)
    return list(map(add, low, high))


def _decaying(samples: Samples, half_life: float) -> Samples:
    return list(map(mul, samples, accumulate(repeat(0.5 ** (1 / half_life / RATE)), mul)))


def _shaped(samples: Samples, *, attack: float, release: float) -> Samples:
    """Fade a note in and out, so that it does not click."""
    rise, fall = (min(round(seconds * RATE), len(samples) // 2) for seconds in (attack, release))
    samples[:rise] = [sample * index / rise for index, sample in enumerate(samples[:rise])]
    samples[-fall:] = [sample * (1 - index / fall) for index, sample in enumerate(samples[-fall:], 1)]
    return samples


def _frames(seconds: float) -> int:
    return round(seconds * RATE)


def _pad(frequency: float, seconds: float) -> Samples:
    samples = _detuned(frequency, MELLOW_SAW, _frames(seconds + 0.7), 0.0025)
    return [0.4 * sample for sample in _shaped(samples, attack=min(0.6, seconds / 2), release=0.9)]


def _strings(frequency: float, seconds: float) -> Samples:
    samples = _detuned(frequency, SAW[:10], _frames(seconds + 0.3), 0.003)
    return [0.32 * sample for sample in _shaped(samples, attack=min(0.18, seconds / 3), release=0.4)]


def _pluck(frequency: float, seconds: float) -> Samples:
    """Return a plucked string by Karplus and Strong's method: a looped burst of noise, smoothed at each round."""
    whole, part = divmod(RATE / frequency, 1)
    length = int(whole)
    random = Random(length)  # noqa: S311
    noise = [random.uniform(-1, 1) for _ in range(length)]
    # Two smoothings take the hiss off the pick; without its mean the string does not push the speaker aside.
    for _ in range(2):
        noise = [(noise[i - 1] + noise[i]) / 2 for i in range(length)]
    mean = sum(noise) / length
    peak = max(abs(sample - mean) for sample in noise)
    string = [(sample - mean) / peak for sample in noise]
    loss = 0.5 ** (1 / frequency / 0.45)
    damping = min(0.12, 30 / frequency)
    samples = string[:]
    for _ in range(int(_frames(seconds + 0.35) / (length + part))):
        before, after = string[-1:] + string[:-1], string[1:] + string[:1]
        neighbours = map(add, before, after)
        smooth = [loss * (s + damping * (n - 2 * s)) for s, n in zip(string, neighbours, strict=True)]
        string = [s + part * (b - s) for b, s in zip(smooth[-1:] + smooth[:-1], smooth, strict=True)]
        samples += string
    return _shaped(samples, attack=0.002, release=0.3)


def _piano(frequency: float, seconds: float) -> Samples:
    frames = _frames(seconds + 0.4)
    body = _decaying(_detuned(frequency, STRUCK, frames, 0.0004), 0.5)
    hammer = _decaying(_tone(frequency, BRIGHT_STRUCK, frames), 0.07)
    return [0.38 * sample for sample in _shaped(list(map(add, body, hammer)), attack=0.004, release=0.35)]


def _frequency_modulated(frequency: float, seconds: float, *, ratio: float, depth: float, half_life: float) -> Samples:
    """Return a tone by Chowning's frequency modulation, whose index decays with the note."""
    carrier, modulator = 2 * pi * frequency / RATE, 2 * pi * frequency * ratio / RATE
    frames = _frames(seconds)
    strength = accumulate(repeat(0.5 ** (2 / half_life / RATE)), mul)
    depths = map(mul, repeat(depth, frames), strength)
    bent = [sin(carrier * i + bend * sin(modulator * i)) for i, bend in enumerate(depths)]
    return _shaped(_decaying(bent, half_life), attack=0.003, release=min(0.5, seconds / 2))


def _bell(frequency: float, seconds: float) -> Samples:
    return _frequency_modulated(frequency, max(seconds, 0.9) + 0.5, ratio=3.0, depth=1.3, half_life=0.5)


def _electric_piano(frequency: float, seconds: float) -> Samples:
    return _frequency_modulated(frequency, seconds + 0.25, ratio=1.0, depth=1.7, half_life=0.55)


def _marimba(frequency: float, seconds: float) -> Samples:
    frames = _frames(0.9)
    body = _decaying(_tone(frequency, (1,), frames), 0.12)
    strike = _decaying(_tone(frequency, (0, 0, 0, 0.6, 0, 0, 0, 0, 0, 0.2), frames), 0.025)
    return _shaped(list(map(add, body, strike)), attack=0.002, release=0.2)


def _flute(frequency: float, seconds: float) -> Samples:
    angle, wobble = 2 * pi * frequency / RATE, 2 * pi * 5.2 / RATE
    frames = _frames(seconds + 0.12)
    depth = 0.0035 * frequency / 5.2
    phases = [angle * i + depth * min(1, i / RATE) * sin(wobble * i) for i in range(frames)]
    samples = [0.62 * sin(p) + 0.16 * sin(2 * p) + 0.07 * sin(3 * p) for p in phases]
    return _shaped(samples, attack=0.07, release=0.16)


def _organ(frequency: float, seconds: float) -> Samples:
    samples = _detuned(frequency, ORGAN, _frames(seconds + 0.1), 0.0012)
    return [0.24 * sample for sample in _shaped(samples, attack=0.02, release=0.12)]


def _chip_lead(frequency: float, seconds: float) -> Samples:
    samples = _decaying(_tone(frequency, SQUARE, _frames(seconds)), 0.5)
    return [0.6 * sample for sample in _shaped(samples, attack=0.004, release=0.03)]


def _chip_chords(frequency: float, seconds: float) -> Samples:
    samples = _decaying(_tone(frequency, PULSE, _frames(seconds)), 0.25)
    return [0.6 * sample for sample in _shaped(samples, attack=0.004, release=0.03)]


def _chip_bass(frequency: float, seconds: float) -> Samples:
    return _shaped(_tone(frequency * 2, TRIANGLE, _frames(seconds)), attack=0.004, release=0.03)


def _synth_lead(frequency: float, seconds: float) -> Samples:
    frames = _frames(seconds + 0.15)
    bright = _decaying(_detuned(frequency, SAW, frames, 0.004), 0.18)
    soft = _detuned(frequency, MELLOW_SAW, frames, 0.004)
    return [0.3 * sample for sample in _shaped(list(map(add, bright, soft)), attack=0.012, release=0.18)]


def _synth_bass(frequency: float, seconds: float) -> Samples:
    frames = _frames(seconds + 0.03)
    bright = _decaying(_tone(frequency, SAW, frames), 0.08)
    soft = _tone(frequency, ROUND, frames)
    return [0.6 * sample for sample in _shaped(list(map(add, bright, soft)), attack=0.005, release=0.05)]


def _round_bass(frequency: float, seconds: float) -> Samples:
    samples = _decaying(_tone(frequency, ROUND, _frames(seconds + 0.06)), 0.9)
    return _shaped(samples, attack=0.01, release=0.09)


@cache
def _noise() -> Samples:
    random = Random(1)  # noqa: S311
    return [random.uniform(-1, 1) for _ in range(RATE)]


def _hiss(seconds: float, half_life: float) -> Samples:
    noise = _noise()[: _frames(seconds)]
    sharp = [(noise[i] - noise[i - 1]) / 2 for i in range(len(noise))]
    return _shaped(_decaying(sharp, half_life), attack=0.001, release=0.01)


def _thump(seconds: float, *, low: float, high: float, half_life: float) -> Samples:
    times = [index / RATE for index in range(_frames(seconds))]
    fall = 28
    samples = [sin(2 * pi * (low * t + (high - low) * (1 - exp(-fall * t)) / fall)) for t in times]
    return _shaped(_decaying(samples, half_life), attack=0.002, release=0.03)


def _kick() -> Samples:
    return [1.3 * sample for sample in _thump(0.35, low=46, high=190, half_life=0.09)]


def _soft_kick() -> Samples:
    return _thump(0.3, low=50, high=110, half_life=0.07)


def _tom() -> Samples:
    return _thump(0.4, low=95, high=180, half_life=0.09)


def _snare() -> Samples:
    rattle = _shaped(_decaying(_noise()[: _frames(0.22)], 0.04), attack=0.001, release=0.03)
    drum = _thump(0.22, low=175, high=260, half_life=0.035)
    return [0.55 * r + 0.5 * d for r, d in zip(rattle, drum, strict=True)]


def _brush() -> Samples:
    noise = _noise()[: _frames(0.25)]
    soft = [(noise[i] + noise[i - 1]) / 2 for i in range(len(noise))]
    return [0.4 * sample for sample in _shaped(_decaying(soft, 0.06), attack=0.03, release=0.05)]


def _clap() -> Samples:
    single = [0.7 * sample for sample in _hiss(0.18, 0.03)]
    late = [0.0] * _frames(0.012) + single
    return [a + b for a, b in zip(single, late, strict=False)]


def _rim() -> Samples:
    return [0.5 * sample for sample in _thump(0.06, low=820, high=1300, half_life=0.012)]


def _hat() -> Samples:
    return [0.42 * sample for sample in _hiss(0.07, 0.014)]


def _open_hat() -> Samples:
    return [0.38 * sample for sample in _hiss(0.3, 0.07)]


def _shaker() -> Samples:
    return [0.3 * sample for sample in _shaped(_hiss(0.11, 0.05), attack=0.03, release=0.05)]


INSTRUMENTS: dict[str, Callable[[float, float], Samples]] = {
    "pad": _pad,
    "strings": _strings,
    "pluck": _pluck,
    "piano": _piano,
    "bell": _bell,
    "electric piano": _electric_piano,
    "marimba": _marimba,
    "flute": _flute,
    "organ": _organ,
    "chip lead": _chip_lead,
    "chip chords": _chip_chords,
    "chip bass": _chip_bass,
    "synth lead": _synth_lead,
    "synth bass": _synth_bass,
    "round bass": _round_bass,
}
DRUMS: dict[str, Callable[[], Samples]] = {
    "kick": _kick,
    "soft kick": _soft_kick,
    "tom": _tom,
    "snare": _snare,
    "brush": _brush,
    "clap": _clap,
    "rim": _rim,
    "hat": _hat,
    "open hat": _open_hat,
    "shaker": _shaker,
}
