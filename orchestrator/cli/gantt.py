"""A schedule as a chart in the terminal: a row an instrument, time to the right."""

from __future__ import annotations

from rich.text import Text

from orchestrator.report.words import counted, duration
from orchestrator.sharing.schedule import Bar, Schedule

COLOURS = ("cyan", "magenta", "yellow", "green", "blue", "red")
"""Colours of experiments, taken in turn."""

NARROWEST = 4
"""Columns that a typical bar keeps, so that its number can be read."""

_STEPS = (1, 2, 3, 6, 12, 24, 48, 168, 336, 720, 1440, 4380, 8760)
"""Hours between two marks of the axis."""


def gantt(schedule: Schedule, *, width: int) -> list[Text]:
    """Return the lines of a chart that is at most `width` columns wide.

    A bar carries the number of its experiment and ends with ``|``, so it can be read without
    colours. A long campaign is shown as far as its bars can be told apart.
    """
    if not schedule.bars:
        return []
    names = max(map(len, schedule.instruments))
    columns = max(width - names - len("  100 %") - 2, 20)
    shown = min(schedule.seconds, _legible(schedule, columns))
    scale = columns / shown
    lines = [_title(schedule, shown)]
    for name in schedule.instruments:
        bars = [b for b in schedule.bars if b.instrument == name and b.start < shown]
        lines.append(
            Text(f"{name:<{names}} ")
            + _row(bars, columns=columns, scale=scale)
            + Text(f" {schedule.utilisation(name):>5.0%}")
        )
    margin = " " * (names + 1)
    lines.append(Text(margin) + Text(_axis(shown, columns), style="dim"))
    lines.append(Text(f"{margin}numbers are experiments, % is use in the whole time", style="dim"))
    return lines


def _title(schedule: Schedule, shown: float) -> Text:
    numbers = {bar.number for bar in schedule.bars}
    said = f"schedule {counted(len(numbers), 'experiment')} in {duration(schedule.seconds / 3600)}"
    if shown < schedule.seconds:
        said += f", of which the first {duration(shown / 3600)}"
    return Text(said)


def _legible(schedule: Schedule, columns: int) -> float:
    """Return for how many seconds from the beginning the bars of the busiest row are legible."""
    lengths = [
        sorted(b.end - b.start for b in schedule.bars if b.instrument == name)
        for name in schedule.instruments
    ]
    busiest = max(lengths, key=sum)
    return columns * busiest[len(busiest) // 2] / (NARROWEST + 1)


def _row(bars: list[Bar], *, columns: int, scale: float) -> Text:
    """Return the bars of one instrument; what is shorter than a column shares it."""
    cells, styles = [" "] * columns, [""] * columns
    for bar in bars:
        first = min(round(bar.start * scale), columns - 1)
        last = min(max(round(bar.end * scale), first + 1), columns)
        label = str(bar.number)
        inside = "─" * (last - first)
        if last - first > len(label):
            inside = label + "─" * (last - first - len(label) - 1) + "|"
        for i, cell in enumerate(inside, first):
            cells[i] = cell
            styles[i] = COLOURS[bar.number % len(COLOURS)]
    return Text.assemble(*((cell, style) for cell, style in zip(cells, styles, strict=True)))


def _axis(seconds: float, columns: int) -> str:
    """Return marks at round times with their unit."""
    wanted = seconds / 3600 / max(columns // 10, 1)
    if wanted < 1:
        minutes = next((m for m in (1, 2, 5, 10, 15, 30, 60) if m / 60 >= wanted), 60)
        step, unit, per = minutes * 60.0, "min", 60.0
    else:
        hours = next((h for h in _STEPS if h >= wanted), _STEPS[-1])
        step, unit, per = hours * 3600.0, *(("d", 86400.0) if hours >= 24 else ("h", 3600.0))
    line = [" "] * (columns + 8)
    for i in range(int(seconds / step) + 1):
        mark = f"{i * step / per:g} {unit}"
        at = round(i * step * columns / seconds)
        line[at : at + len(mark)] = mark
    return "".join(line).rstrip()
