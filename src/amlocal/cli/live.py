"""On a terminal: a pipeline as a tree of steps, a search as a table, a command job as its log."""

from __future__ import annotations

from msgspec import structs
from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.segment import Segment
from rich.style import Style

from amlocal.cli import text, trials
from amlocal.cli.plain import PlainReporter
from amlocal.cli.progress import Progress, Row, Screen
from amlocal.cli.terminal import Terminal
from amlocal.cli.trials import Board
from amlocal.plan.info import JobInfo, best_trial
from amlocal.plan.status import JobStatus

_REFRESHES_A_SECOND = 5
#: Lines that are not steps: the headline, the counts of hidden steps, and the cursor's own.
_OTHER_LINES = 3
_TIME_COLUMNS = 8
#: Lines of a table above its rows.
_TABLE_HEAD = 2


class LiveReporter:
    """Draws the tree while the job runs, and leaves its last state on the screen."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._plain = PlainReporter(terminal)
        self._progress: Progress | None = None
        self._board: Board | None = None
        self._console = Console(
            file=terminal.stream,
            force_terminal=True,
            no_color=not terminal.has_colour,
            highlight=False,
            markup=False,
            emoji=False,
            _environ=terminal.environ,
        )
        self._live = Live(
            get_renderable=lambda: self,
            console=self._console,
            refresh_per_second=_REFRESHES_A_SECOND,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> LiveReporter:
        return self

    def __exit__(self, *error: object) -> None:
        """Give the cursor back, also after Ctrl-C."""
        self._live.stop()

    def job_started(self, job: JobInfo) -> None:
        """Begin to draw."""
        if job.type != "pipeline" and job.search is None:
            self._plain.job_started(job)
            return
        for warning in job.warnings:
            self.note(f"warning: {warning}")
        if job.search is not None:
            self._board = Board(job)
        else:
            self._progress = Progress(job)
        self._live.start(refresh=True)

    def step_changed(self, step: JobInfo) -> None:
        """Take the step's state; the next refresh shows it."""
        drawn = self._board or self._progress
        if drawn is None:
            self._plain.step_changed(step)
        else:
            drawn.change(step)

    def log(self, step: JobInfo, text: str) -> None:
        """Show the last line beside the step; write all of a command job, and none of trials."""
        if self._progress is not None:
            self._progress.log(step, text)
        elif self._board is None:
            self._plain.log(step, text)

    def note(self, message: str) -> None:
        """Write the sentence above the tree."""
        if self._board is None and self._progress is None:
            self._plain.note(message)
        else:
            self._console.print(f"-- {message}", soft_wrap=True)

    def job_finished(self, job: JobInfo) -> None:
        """Draw the last state; a command job's end is told by the summary that follows."""
        if self._progress is not None:
            self._progress.finish(job)
        elif self._board is not None:
            for info in (*job.children, job):
                self._board.change(info)
        self._live.stop()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the lines that fit the terminal as it is now."""
        # One column less than there is: a full line would wrap when the terminal gets narrower.
        room, width = console.size.height - _OTHER_LINES, console.size.width - 1
        if self._progress is not None:
            lines = draw(self._progress.screen(room), width, self._terminal)
        elif self._board is not None:
            lines = draw_trials(self._board, room, width, self._terminal)
        else:
            return
        for line in lines:
            yield from line
            yield Segment.line()


def draw(screen: Screen, width: int, terminal: Terminal) -> list[list[Segment]]:
    """Return the lines of a screen, none wider than `width` columns."""
    marks = terminal.marks
    about = f"  {screen.ended} of {text.plural(screen.total, 'step')}  {text.clock(screen.seconds)}"
    mark, colour = marks.of(screen.status)
    headline = f"{mark} {screen.status.value}  "
    lines = [
        [
            _segment(headline, colour),
            _segment(text.clip(screen.name, width - len(headline + about), marks.ellipsis), "bold"),
            _segment(about, "dim"),
        ]
    ]
    longest = max((text.cells(row.name) for row in screen.rows), default=0)
    # Branch and sign take 5 columns; a name keeps 4 on the narrowest terminal.
    label = min(longest, width // 2, max(width - _TIME_COLUMNS - 5, 4))
    for row in screen.rows:
        is_last = row is screen.rows[-1] and not screen.hidden
        lines.append(_row(row, marks.last if is_last else marks.branch, label, width, terminal))
    if screen.hidden:
        counts = text.clip(f"{marks.last}{screen.hidden}", width, marks.ellipsis)
        lines.append([_segment(counts, "dim")])
    return lines


def draw_trials(board: Board, room: int, width: int, terminal: Terminal) -> list[list[Segment]]:
    """Return a search's headline and the table of the trials for which there is room."""
    marks = terminal.marks
    status = board.job.status
    mark, colour = marks.of(status)
    headline = f"{mark} {status.value}  "
    known = board.trials()
    about = f"  {trials.progress(board.search, known)}  {text.clock(board.seconds)}"
    name = text.clip(board.job.name, max(width - len(headline + about), 8), marks.ellipsis)
    lines = [[_segment(headline, colour), _segment(name, "bold"), _segment(about, "dim")]]
    shown = [
        structs.replace(info, duration=board.running_time(info))
        for info in board.shown(room - _TABLE_HEAD)
    ]
    if not shown:
        return lines
    best = best_trial(board.search.goal, shown)
    rows = trials.rows(board.search, shown, best, marks.best)
    whole = text.table(rows, width=width, ellipsis=marks.ellipsis).splitlines()
    # On a narrow terminal the last of many columns find no room at all.
    table = [text.clip(line, width, marks.ellipsis) for line in whole]
    lines += [[_segment(line, "dim")] for line in table[:_TABLE_HEAD]]
    for info, line in zip(shown, table[_TABLE_HEAD:], strict=True):
        _, colour = marks.of(info.status, reused=info.reused_from is not None)
        lines.append([_segment(line, "bold" if info is best else colour)])
    if len(shown) < len(known):
        lines.append([_segment(f"{len(known) - len(shown)} more", "dim")])
    return lines


def _row(row: Row, branch: str, label: int, width: int, terminal: Terminal) -> list[Segment]:
    marks = terminal.marks
    mark, colour = marks.of(row.status, reused=row.reused)
    name = text.pad(text.clip(row.name, label, marks.ellipsis), label)
    seconds = text.clock(row.seconds) if row.seconds or row.is_active else ""
    told = f"{'reused' if row.reused else seconds:>{_TIME_COLUMNS}}"
    line, line_style = row.line, "dim"
    if row.status is JobStatus.FAILED:
        line_style = "red"
    elif row.status.is_terminal:
        line = ""
    elif row.is_active and row.status is not JobStatus.RUNNING:
        line = row.status.value
    room = width - text.cells(f"{branch}{mark} {name}{told}  ")
    return [
        _segment(branch, "dim"),
        _segment(f"{mark} ", colour),
        _segment(name, "bold" if row.is_active else ""),
        _segment(told, "dim"),
        _segment(
            f"  {text.clip(line, room, marks.ellipsis)}" if line and room > 0 else "", line_style
        ),
    ]


def _segment(content: str, style: str) -> Segment:
    return Segment(content, Style.parse(style) if style else None)
