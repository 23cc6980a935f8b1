"""Drawings for album covers: landscapes and patterns in the colours of the album."""

import io
from collections.abc import Callable
from functools import cache
from math import cos, pi, sin
from random import Random

from PIL import Image, ImageColor, ImageDraw, ImageFont, ImageStat

from .programme import Cover

SIZE = 600
# Drawn larger and shrunk, so that edges are smooth.
LARGE = 2 * SIZE
MARGIN = 36

Colour = tuple[int, ...]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@cache
def draw_cover(cover: Cover, *, title: str, artist: str) -> bytes:
    """Return the cover as a square PNG."""
    colours: list[Colour] = [ImageColor.getrgb(colour) for colour in cover.colours]
    image = Image.new("RGB", (LARGE, LARGE), colours[0])
    DRAWINGS[cover.drawing](image, colours, Random(cover.seed))  # noqa: S311
    image = image.resize((SIZE, SIZE), Image.Resampling.LANCZOS)
    _write(image, title=title, artist=artist)
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


def _write(image: Image.Image, *, title: str, artist: str) -> None:
    (brightness,) = ImageStat.Stat(image.crop((0, 0, SIZE, 120)).convert("L")).mean
    ink = "#fffaf0" if brightness < 150 else "#1b1b1f"
    draw = ImageDraw.Draw(image)
    draw.text((MARGIN, MARGIN), title, fill=ink, font=_fitting_font(draw, title, largest=44))
    draw.text((MARGIN, MARGIN + 56), artist, fill=ink, font=ImageFont.load_default(size=24))


def _fitting_font(draw: ImageDraw.ImageDraw, text: str, *, largest: int) -> Font:
    sizes = range(largest, 11, -1)
    fonts = (ImageFont.load_default(size=size) for size in sizes)
    return next(font for font in fonts if draw.textlength(text, font=font) <= SIZE - 2 * MARGIN)


def _blend(one: Colour, other: Colour, share: float) -> Colour:
    return tuple(round(a + (b - a) * share) for a, b in zip(one, other, strict=True))


def _sky(image: Image.Image, upper: Colour, lower: Colour, height: int = LARGE) -> None:
    draw = ImageDraw.Draw(image)
    for y in range(height):
        draw.line((0, y, LARGE, y), fill=_blend(upper, lower, y / height))


def _disc(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float, colour: Colour) -> None:
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)


def _moonrise(image: Image.Image, colours: list[Colour], random: Random) -> None:
    """A moon with its halo, and its light in bars on the water."""
    night, sea, mist, moon = colours
    horizon, centre = 760, 700
    _sky(image, night, sea, horizon)
    draw = ImageDraw.Draw(image)
    for _ in range(90):
        _disc(draw, random.uniform(0, LARGE), random.uniform(0, 600), random.uniform(1, 3.5), mist)
    halo = ImageDraw.Draw(image, "RGBA")
    for ring in range(40):
        _disc(halo, centre, 560, 150 + 7 * ring, (*mist, 5))
    _disc(draw, centre, 560, 150, moon)
    draw.rectangle((0, horizon, LARGE, LARGE), fill=night)
    for row in range(22):
        y, width = horizon + 10 + row * 20, 170 + row * 14
        left = centre - width * random.uniform(0.5, 1)
        shine = _blend(moon, sea, row / 24)
        draw.rounded_rectangle((left, y, left + width * random.uniform(0.8, 1.6), y + 9), 4, fill=shine)


def _petals(image: Image.Image, colours: list[Colour], random: Random) -> None:
    """Rosettes of overlapping petals, large at the front."""
    _, *flowers = colours
    for x, y, radius in ((860, 820, 330), (300, 960, 230), (330, 520, 150), (700, 430, 90), (1050, 380, 120)):
        outer, inner, heart = random.sample(flowers, 3)
        petals = random.choice((8, 10, 12))
        for length, colour in ((1.0, outer), (0.62, inner)):
            _rosette(image, x, y, radius * length, petals, colour)
        _disc(ImageDraw.Draw(image), x, y, radius * 0.2, heart)


def _rosette(image: Image.Image, x: float, y: float, radius: float, petals: int, colour: Colour) -> None:
    # Half-transparent petals darken where they overlap, as cut paper does.
    draw = ImageDraw.Draw(image, "RGBA")
    for petal in range(petals):
        angle = 2 * pi * petal / petals
        _disc(
            draw,
            x + 0.62 * radius * cos(angle),
            y + 0.62 * radius * sin(angle),
            0.38 * radius,
            (*colour, 165),
        )


def _tiles(image: Image.Image, colours: list[Colour], random: Random) -> None:
    """Quarter discs, triangles and dots in a grid, below a band for the title."""
    ground, *paints = colours
    draw = ImageDraw.Draw(image)
    side = LARGE // 6
    for row in range(2, 6):
        for column in range(6):
            back, front = random.sample([ground, *paints], 2)
            _tile(draw, column * side, row * side, side, back, front, random)


def _tile(draw: ImageDraw.ImageDraw, x: int, y: int, side: int, back: Colour, front: Colour, random: Random) -> None:
    draw.rectangle((x, y, x + side, y + side), fill=back)
    corners = [(x, y), (x + side, y), (x + side, y + side), (x, y + side)]
    shape = random.choice(("quarter", "quarter", "triangle", "disc", "steps"))
    if shape == "quarter":
        corner = random.randrange(4)
        cx, cy = corners[corner]
        draw.pieslice((cx - side, cy - side, cx + side, cy + side), 90 * corner, 90 * corner + 90, fill=front)
    elif shape == "triangle":
        draw.polygon(random.sample(corners, 3), fill=front)
    elif shape == "disc":
        _disc(draw, x + side / 2, y + side / 2, side * 0.32, front)
    else:
        for step in range(4):
            top = y + side * step / 4
            draw.rectangle((x, top, x + side * (step + 1) / 4, top + side / 4), fill=front)


def _sunset(image: Image.Image, colours: list[Colour], random: Random) -> None:
    """A striped sun behind a grid that runs to the horizon."""
    night, violet, pink, gold = colours
    horizon = 800
    _sky(image, night, violet, horizon)
    draw = ImageDraw.Draw(image)
    for _ in range(70):
        _disc(draw, random.uniform(0, LARGE), random.uniform(0, 520), random.uniform(1, 3), gold)
    _striped_sun(draw, colours, x=LARGE // 2, y=640, radius=300)
    draw.rectangle((0, horizon, LARGE, LARGE), fill=night)
    for line in range(-16, 17):
        draw.line((600 + line * 40, horizon, 600 + line * 210, LARGE), fill=pink, width=4)
    for line in range(12):
        y = horizon + 400 * (line / 11) ** 2
        draw.line((0, y, LARGE, y), fill=pink, width=3 + line // 3)


def _striped_sun(draw: ImageDraw.ImageDraw, colours: list[Colour], *, x: int, y: int, radius: int) -> None:
    *_, pink, gold = colours
    for row in range(-radius, radius):
        is_gap = row > -40 and (row + 40) % 48 < 6 + (row + 40) / 14
        half = (radius**2 - row**2) ** 0.5
        if not is_gap:
            shade = _blend(gold, pink, (row + radius) / (2 * radius))
            draw.line((x - half, y + row, x + half, y + row), fill=shade)


def _hills(image: Image.Image, colours: list[Colour], random: Random) -> None:
    """Ridge behind ridge, each nearer one darker, and a low sun."""
    far, middle, near, sun = colours
    _sky(image, _blend(middle, sun, 0.1), sun, 900)
    draw = ImageDraw.Draw(image)
    _disc(draw, random.randint(620, 900), 500, 110, _blend(sun, (255, 255, 255), 0.55))
    darkest = min((far, near), key=sum)
    for ridge in range(6):
        points = _ridge(random, base=560 + 110 * ridge, height=95 - 6 * ridge)
        draw.polygon([(0, LARGE), *points, (LARGE, LARGE)], fill=_blend(_blend(near, sun, 0.3), darkest, ridge / 5))


def _ridge(random: Random, *, base: int, height: int) -> list[tuple[int, float]]:
    waves = [
        (random.uniform(0.6, 1.3), random.uniform(0, 2 * pi)),
        (random.uniform(2, 3.5), random.uniform(0, 2 * pi)),
    ]
    return [
        (x, base + height * sum(sin(2 * pi * turns * x / LARGE + shift) / turns for turns, shift in waves))
        for x in range(0, LARGE + 1, 8)
    ]


def _strings(image: Image.Image, colours: list[Colour], random: Random) -> None:
    """Straight threads between two lines of pins, whose crossings make a curve."""
    _, *threads = colours
    draw = ImageDraw.Draw(image)
    corners = [((80, 1120), (1120, 1120), (80, 320)), ((1120, 320), (1120, 1120), (80, 320))]
    for (pivot, one_end, other_end), colour in zip(corners, random.sample(threads, 2), strict=True):
        for pin in range(41):
            start = _between(pivot, one_end, pin / 40)
            draw.line((start, _between(other_end, pivot, pin / 40)), fill=colour, width=4)
    _disc(draw, 600, 720, 84, threads[1])


def _between(one: tuple[float, float], other: tuple[float, float], share: float) -> tuple[float, float]:
    return one[0] + (other[0] - one[0]) * share, one[1] + (other[1] - one[1]) * share


DRAWINGS: dict[str, Callable[[Image.Image, list[Colour], Random], None]] = {
    "moonrise": _moonrise,
    "petals": _petals,
    "tiles": _tiles,
    "sunset": _sunset,
    "hills": _hills,
    "strings": _strings,
}
