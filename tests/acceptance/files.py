#!/usr/bin/env python3
"""Makes the files of one pass of the acceptance test, and writes down what gannet has to say of them.

files.py PASS WORK      changes WORK/www as PASS (1 to 5) says; keeps every generation of every file below WORK/kept;
                        updates WORK/expected.json

Expected, for each source: `attempts` (oldest first: outcome, http_status, error_kind) and `versions` (oldest first: digest,
verified). It follows from the files alone and knows nothing of gannet.
"""

import hashlib
import json
import os
import random
import sys

FIRST_CHANGE_S = 1_750_000_000
BIG_BYTES = 100 * 1000 * 1000
HTML = b"<!DOCTYPE html>\n<html><body><h1>We will be back soon</h1></body></html>\n"
GONE = None


def names():
    """Returns the 47 sources with a file behind them, and the three that never have one."""
    plain = [f"prices-{n:02}.csv" for n in range(1, 17)]
    plain += [f"facts-{n:02}.json" for n in range(1, 15)]
    plain += [f"notes-{n:02}.txt" for n in range(1, 13)]
    special = ["big.bin", "error-page.txt", "broken.json", "negative.csv", "returns.csv"]
    never = ["loop", "missing.txt", "stalled.txt"]
    return plain + special + never


def generation(name, turn):
    """Returns how often a plain file has changed when `turn` comes: some never do, some every time."""
    number = int(name.split("-")[1].split(".")[0])
    return sum(1 for earlier in range(2, turn + 1) if number % 4 == 3 or (number % 4 and (number + earlier) % 3 == 0))


def csv(name, turn, bad=False):
    rows = random.Random(name)
    lines = [f"item-{n:03},{rows.randrange(1, 10_000) / 100:.2f}" for n in range(200)]
    for change in range(turn):
        lines[change * 7 % 200] = f"item-new-{change},{change + 1}.50"
    if bad:
        lines[9] = "item-009,-1.00"
    return ("item,price\n" + "\n".join(lines) + "\n").encode()


def plain_content(name, turn):
    if name.endswith(".csv"):
        return csv(name, turn)
    if name.endswith(".json"):
        rows = random.Random(name)
        values = {f"key-{n}": rows.random() for n in range(150)}
        return json.dumps({"name": name, "turn": turn, "values": values}, indent=1).encode()
    return (f"{name}\n" + "a line of text\n" * 40 + f"generation {turn}\n").encode()


def big(turn):
    block = random.Random("big").randbytes(1000 * 1000)
    content = bytearray(block * (BIG_BYTES // len(block)))
    if turn >= 4:
        content[50_000_000:50_000_011] = b"a new piece"
    return bytes(content)


def content_of(name, turn):
    """Returns the content at `turn`, or GONE."""
    match name:
        case "big.bin":
            return big(turn)
        case "error-page.txt":
            return HTML if turn == 3 else b"mirror-a up\nmirror-b up\n" + b"seen\n" * (turn // 4)
        case "broken.json":
            return b'{"rates": {"USD": 1.1' if turn == 2 else b'{"rates": {"USD": 1.19}}\n'
        case "negative.csv":
            return csv(name, turn, bad=turn in (3, 4))
        case "returns.csv":
            return GONE if turn in (2, 3) else csv(name, 1)
        case "loop" | "missing.txt" | "stalled.txt":
            return GONE
        case "notes-01.txt":
            # A, B, A: three versions of two contents.
            return plain_content(name, 1 if turn == 2 else 0)
        case _:
            return plain_content(name, generation(name, turn))


def verdict(name, content):
    """Returns what the verifiers of the test's configuration have to say."""
    if content.startswith(b"<!DOCTYPE html>"):
        return "failed"
    if name.endswith(".json"):
        try:
            json.loads(content)
        except ValueError:
            return "failed"
    if name.endswith(".csv") and b",-" in content:
        return "failed"
    return "passed"


def attempt_without_file(name):
    kind, status = {"loop": ("redirect", 302), "stalled.txt": ("timeout", None)}.get(name, ("status", 404))
    return {"outcome": "failed", "http_status": status, "error_kind": kind}


def take_turn(name, turn, work, expected):
    """Changes one file, and expects what follows from it."""
    path, content = f"{work}/www/{name}", content_of(name, turn)
    record = expected.setdefault(name, {"attempts": [], "versions": []})
    if content is GONE:
        if os.path.exists(path):
            os.remove(path)
        record["attempts"].append(attempt_without_file(name))
        return
    digest = "sha256:" + hashlib.sha256(content).hexdigest()
    last = record["versions"][-1]["digest"] if record["versions"] else None
    was_there = os.path.exists(path)
    if not was_there or digest != last:
        with open(path, "wb") as file:
            file.write(content)
        os.utime(path, (FIRST_CHANGE_S + turn, FIRST_CHANGE_S + turn))
    if digest == last:
        status = 304 if was_there else 200
        record["attempts"].append({"outcome": "unchanged", "http_status": status, "error_kind": None})
        return
    record["attempts"].append({"outcome": "new", "http_status": 200, "error_kind": None})
    record["versions"].append({"digest": digest, "verified": verdict(name, content)})
    kept = f"{work}/kept/{name}"
    os.makedirs(kept, exist_ok=True)
    with open(f"{kept}/{len(record['versions'])}", "wb") as file:
        file.write(content)


def main(turn, work):
    os.makedirs(f"{work}/www", exist_ok=True)
    try:
        with open(f"{work}/expected.json", encoding="utf-8") as file:
            expected = json.load(file)
    except FileNotFoundError:
        expected = {}
    for name in names():
        take_turn(name, turn, work, expected)
    with open(f"{work}/expected.json", "w", encoding="utf-8") as file:
        json.dump(expected, file, indent=1)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(int(sys.argv[1]), sys.argv[2])
