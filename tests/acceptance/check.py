#!/usr/bin/env python3
"""Holds what gannet says against what the files were.

check.py summary WORK PASS < SUMMARY     the JSON summary of a pass
check.py state WORK COMMAND…             lists, histories, contents, verdicts, published files and events, by running
                                         COMMAND with arguments; prints one line a kind, and every mismatch

Ends with 1 on any mismatch.
"""

import hashlib
import json
import os
import subprocess
import sys


class Checks:
    """Counts what holds, and prints what does not."""

    def __init__(self):
        self.passed, self.failed = 0, 0

    def same(self, what, found, expected):
        if found == expected:
            self.passed += 1
        else:
            self.failed += 1
            print(f"MISMATCH {what}: found {found!r}, expected {expected!r}")

    def line(self, text):
        print(f"  {text}")

    def end(self):
        print(f"  {self.passed} checks hold, {self.failed} do not")
        sys.exit(1 if self.failed else 0)


def digest_of(path):
    with open(path, "rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()


def load_expected(work):
    with open(f"{work}/expected.json", encoding="utf-8") as file:
        return json.load(file)


def check_summary(work, turn):
    checks, expected = Checks(), load_expected(work)
    summary = json.load(sys.stdin)
    last = [record["attempts"][turn - 1]["outcome"] for record in expected.values()]
    states = [
        record["versions"][-1]["verified"]
        for record in expected.values()
        if record["attempts"][turn - 1]["outcome"] == "new"
    ]
    for key, count in {
        "attempts": len(expected),
        "new": last.count("new"),
        "unchanged": last.count("unchanged"),
        "failed": last.count("failed"),
        "passed": states.count("passed"),
        "failed_verification": states.count("failed"),
        "verification_errors": 0,
        "awaiting_verdicts": 0,
    }.items():
        checks.same(f"pass {turn}, {key}", summary.get(key), count)
    checks.end()


class Gannet:
    def __init__(self, command):
        self.command = command

    def json(self, *arguments):
        done = subprocess.run([*self.command, *arguments], check=True, stdout=subprocess.PIPE)
        return json.loads(done.stdout)

    def json_lines(self, *arguments):
        """Reads one JSON text, or one a line."""
        done = subprocess.run([*self.command, *arguments], check=True, stdout=subprocess.PIPE)
        try:
            value = json.loads(done.stdout)
            return value if isinstance(value, list) else [value]
        except ValueError:
            return [json.loads(line) for line in done.stdout.splitlines()]

    def digest(self, *arguments):
        """Digests what a command prints, without holding it."""
        digest = hashlib.sha256()
        with subprocess.Popen([*self.command, *arguments], stdout=subprocess.PIPE) as child:
            while piece := child.stdout.read(1 << 20):
                digest.update(piece)
        return "sha256:" + digest.hexdigest() if child.returncode == 0 else f"exit {child.returncode}"


def check_history(checks, gannet, name, record):
    """Checks attempts and versions of one source; returns its versions, oldest first."""
    history = gannet.json("history", name, "--json")
    attempts, versions = history["attempts"][::-1], history["versions"][::-1]
    keys = ("outcome", "http_status", "error_kind")
    found = [{key: attempt[key] for key in keys} for attempt in attempts]
    # Which status a redirect loop and a stalled answer leave is not laid down.
    for one, other in zip(found, record["attempts"]):
        if other["error_kind"] in ("redirect", "timeout"):
            one["http_status"] = other["http_status"]
    checks.same(f"{name}, attempts", found, record["attempts"])
    for attempt in attempts:
        if attempt["outcome"] == "failed":
            checks.same(f"{name}, a failure is told in words", bool(attempt["error"]), True)
    found = [{key: version[key] for key in ("digest", "verified")} for version in versions]
    checks.same(f"{name}, versions", found, record["versions"])
    return versions


def check_contents(checks, gannet, work, name, versions):
    for number, version in enumerate(versions):
        original = f"{work}/kept/{name}/{number + 1}"
        checks.same(f"{name}, cat {version['id']}", gannet.digest("cat", str(version["id"])), digest_of(original))
        checks.same(f"{name}, size of {version['id']}", version["size_bytes"], os.path.getsize(original))
        back = len(versions) - 1 - number
        checks.same(f"{name}~{back}", gannet.digest("cat", f"{name}~{back}"), digest_of(original))


def check_verdicts(checks, name, versions):
    for version in versions:
        outcomes = {verdict["outcome"] for verdict in version["verdicts"]}
        checks.same(f"{name}, {version['id']} was judged", bool(outcomes), True)
        checks.same(f"{name}, {version['id']} failed", "failed" in outcomes, version["verified"] == "failed")


def check_published(checks, data, name, source, record):
    """The published file is the newest version that passed."""
    good = [version["digest"] for version in record["versions"] if version["verified"] == "passed"]
    path = source["published_path"]
    path = path and os.path.join(data, "published", path)
    found = digest_of(path) if path and os.path.exists(path) else None
    checks.same(f"{name}, published", found, good[-1] if good else None)


def check_events(checks, gannet, name, record):
    events = gannet.json_lines("log", "--source", name, "--json")
    actions = [event["action"] for event in events]
    for outcome in ("new", "unchanged", "failed"):
        count = sum(1 for attempt in record["attempts"] if attempt["outcome"] == outcome)
        checks.same(f"{name}, events fetch.{outcome}", actions.count(f"fetch.{outcome}"), count)
    checks.same(f"{name}, events source.added", actions.count("source.added"), 1)
    return len(events)


def check_state(work, command):
    checks, expected, gannet = Checks(), load_expected(work), Gannet(command)
    data = command[command.index("--data-dir") + 1]
    sources = {source["name"]: source for source in gannet.json("list", "--json")}
    checks.same("names", sorted(sources), sorted(expected))
    counts = {"versions": 0, "attempts": 0, "not modified (304)": 0, "failed": 0, "events": 0}
    for name, record in expected.items():
        versions = check_history(checks, gannet, name, record)
        check_contents(checks, gannet, work, name, versions)
        check_verdicts(checks, name, versions)
        check_published(checks, data, name, sources[name], record)
        counts["events"] += check_events(checks, gannet, name, record)
        counts["versions"] += len(versions)
        counts["attempts"] += len(record["attempts"])
        counts["not modified (304)"] += sum(1 for a in record["attempts"] if a["http_status"] == 304)
        counts["failed"] += sum(1 for a in record["attempts"] if a["outcome"] == "failed")
    checks.line(", ".join(f"{count} {what}" for what, count in counts.items()))
    checks.end()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["summary", work_dir, number]:
            check_summary(work_dir, int(number))
        case ["state", work_dir, *argv] if argv:
            check_state(work_dir, argv)
        case _:
            sys.exit(__doc__)
