#!/usr/bin/env python3
"""Makes and changes the files of the benchmarks; the same numbers give the same files on every machine.

files.py small DIR COUNT [BYTES]   COUNT files of 4 KiB, or so many bytes, of text
files.py big DIR COUNT MIB         COUNT files of MIB MiB of text
files.py change DIR PERCENT ROUND  rewrites every so many of the small ones with content of ROUND
files.py sources URL DIR INTERVAL  prints a TOML file of sources, one for each file of DIR
files.py due DATABASE              makes every source of a catalogue due

Times of change are set by hand, whole seconds apart: nginx makes its ETag of second and length.
"""

import os
import random
import sqlite3
import sys

SMALL_BYTES = 4096
FIRST_CHANGE_S = 1_750_000_000


def text(seed, length):
    lines = random.Random(seed)
    parts, size = [], 0
    while size < length:
        line = f"{lines.randrange(10**9)},{lines.choice(('up', 'down', 'idle'))},{lines.random():.6f}\n"
        parts.append(line)
        size += len(line)
    return "".join(parts)[:length].encode()


def write(path, content, changed_at_s):
    with open(path, "wb") as file:
        file.write(content)
    os.utime(path, (changed_at_s, changed_at_s))


def small(folder, count, length=SMALL_BYTES):
    os.makedirs(folder)
    for number in range(count):
        write(f"{folder}/{number:06}.txt", text(number, length), FIRST_CHANGE_S)


def big(folder, count, mib):
    os.makedirs(folder)
    block = text("big", 1 << 20)
    for number in range(count):
        # Every MiB is another one, at little cost: its lines begin with file and block.
        blocks = (block.replace(b"\n", b"\n%03d,%03d," % (number, at))[: 1 << 20] for at in range(mib))
        write(f"{folder}/{number:03}.txt", b"".join(blocks), FIRST_CHANGE_S)


def change(folder, percent, turn):
    names = sorted(os.listdir(folder))
    step = round(100 / percent)
    for number in range(0, len(names), step):
        write(f"{folder}/{names[number]}", text(f"{number} {turn}", SMALL_BYTES), FIRST_CHANGE_S + turn)


def sources(url, folder, interval):
    for name in sorted(os.listdir(folder)):
        base = os.path.basename(folder)
        print(f'[[source]]\naddress = "{url}/{base}/{name}"\nname = "{base}-{name}"')
        print(f'interval = "{interval}"\nallow_private = true\n')


def due(database):
    """The least interval is an hour: so that `--worker-only`, which cron runs, can be timed again at once."""
    with sqlite3.connect(database) as catalogue:
        catalogue.execute("UPDATE source_state SET next_slot = 0")
    # Leaves no write-ahead log behind.
    catalogue.close()


def main(argv):
    match argv:
        case ["small", folder, count, *length]:
            small(folder, int(count), *map(int, length))
        case ["big", folder, count, mib]:
            big(folder, int(count), int(mib))
        case ["change", folder, percent, turn]:
            change(folder, float(percent), int(turn))
        case ["due", database]:
            due(database)
        case ["sources", url, folder, interval]:
            sources(url, folder, interval)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
