"""A pseudo-terminal in which a command runs, and what a person would see on its screen."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

WIDTH, HEIGHT = 100, 40
CONTROL = re.compile(r"\x1b\[(\??)([\d;]*)([A-Za-z])|\x1b.")


class Screen:
    """As much of a terminal as `rich` and this program use; anything else is a failure."""

    def __init__(self):
        """Empty, with the cursor at the upper left."""
        self.lines, self.row, self.column, self.shows_cursor = [""], 0, 0, True

    def feed(self, text):
        """Draw what a program writes."""
        while text:
            found = CONTROL.match(text)
            if found:
                self._control(*found.groups())
                text = text[found.end() :]
            else:
                self._character(text[0])
                text = text[1:]

    @property
    def text(self):
        """The lines, less empty ones at the end."""
        return "\n".join(line.rstrip() for line in self.lines).rstrip()

    def _character(self, character):
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self._down()
        elif character >= " ":
            if self.column == WIDTH:
                self._down()
                self.column = 0
            line = self.lines[self.row].ljust(self.column)
            self.lines[self.row] = line[: self.column] + character + line[self.column + 1 :]
            self.column += 1

    def _down(self):
        self.row += 1
        if self.row == len(self.lines):
            self.lines.append("")

    def _control(self, private, numbers, what):
        if private:
            self.shows_cursor = {"25h": True, "25l": False}.get(numbers + what, self.shows_cursor)
        elif what == "A":
            self.row = max(0, self.row - int(numbers or 1))
        elif what == "K" and numbers == "2":
            self.lines[self.row] = ""
        elif what != "m":
            raise AssertionError(f"this terminal does not know {numbers}{what}")


class Terminal:
    """A command with a pseudo-terminal of its own as standard input, output and error."""

    def __init__(self, command, **options):
        """Start it."""
        self.ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
        self.screen = Screen()
        self.process = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            env={**os.environ, "TERM": "xterm-256color"},
            **options,
        )
        os.close(theirs)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.ours)

    def type(self, keys):
        """Press keys."""
        os.write(self.ours, keys)

    def read_until(self, seen, *, seconds=60.0):
        """Draw what comes until it is seen on the screen."""
        end = time.monotonic() + seconds
        while not seen(self.screen):
            assert time.monotonic() < end, f"it is not there:\n{self.screen.text}"
            self._read(0.05)

    def read_to_the_end(self, *, seconds=30.0):
        """Draw what comes until the command has ended; its exit status."""
        end = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < end, f"it does not end:\n{self.screen.text}"
            self._read(0.05)
        while self._read(0.05):
            pass
        return self.process.returncode

    def _read(self, patience):
        if not select.select([self.ours], [], [], patience)[0]:
            return False
        try:
            content = os.read(self.ours, 65536)
        except OSError:  # nobody has the other end open any more
            return False
        self.screen.feed(content.decode())
        return bool(content)
