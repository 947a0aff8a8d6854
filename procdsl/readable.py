"""Amounts as people read them: of things, of bytes, of time."""

from __future__ import annotations


def many(count: int, one: str, several: str = "") -> str:
    """So many of something.

    >>> many(1, "trial"), many(2_000, "trial")
    ('1 trial', '2,000 trials')
    """
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def short(number: float) -> str:
    """A number in three figures.

    >>> short(0), short(524_288), short(655_360_000), short(1.5e9)
    ('0', '524K', '655M', '1.5B')
    """
    for size, unit in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if abs(number) >= size * 0.9995:
            return f"{number / size:.3g}{unit}"
    return f"{number:.3g}"


def scientific(number: float) -> str:
    """A large number in two figures.

    >>> scientific(1.234e17)
    '1.2e17'
    """
    return f"{number:.1e}".replace("e+", "e")


def size(count: float) -> str:
    """A number of bytes as people read it.

    >>> size(12_345_678), size(900)
    ('12.3 MB', '900 B')
    """
    for unit, name in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= unit:
            return f"{count / unit:.3g} {name}"
    return f"{count:.0f} B"


def duration(seconds: float) -> str:
    """A stretch of time in its two largest units.

    >>> duration(4000), duration(12), duration(200_000)
    ('1 h 6 min', '12 s', '2 d 7 h')
    """
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    for unit, part, names in ((86_400, 3_600, ("d", "h")), (3_600, 60, ("h", "min")), (60, 1, ("min", "s"))):
        if seconds >= unit:
            return f"{int(seconds // unit)} {names[0]} {int(seconds % unit // part)} {names[1]}"
    raise AssertionError(seconds)


def clock(seconds: float) -> str:
    """A stretch of time, as on a clock.

    >>> clock(75), clock(4000)
    ('1:15', '1:06:40')
    """
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
