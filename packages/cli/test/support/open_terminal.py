# Runs a command in a pseudo-terminal of a given size: what comes on stdin is typed, what the screen gets goes to stdout.
# Usage: open_terminal.py COLUMNS ROWS COMMAND [ARGUMENT…]. Ends with the command's exit code, or 128 + the signal that ended it.
import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios

columns, rows = int(sys.argv[1]), int(sys.argv[2])
screen, terminal = pty.openpty()
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def lead():
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


command = subprocess.Popen(sys.argv[3:], stdin=terminal, stdout=terminal, stderr=terminal, preexec_fn=lead)
os.close(terminal)
sources = [screen, 0]
while screen in sources:
    ready, _, _ = select.select(sources, [], [])
    if 0 in ready:
        typed = os.read(0, 65536)
        if typed:
            os.write(screen, typed)
        else:
            sources.remove(0)
    if screen in ready:
        try:
            shown = os.read(screen, 65536)
        except OSError:  # The last process that had the terminal open is gone.
            shown = b""
        if not shown:
            break
        os.write(1, shown)
code = command.wait()
sys.exit(code if code >= 0 else 128 - code)
