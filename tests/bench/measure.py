#!/usr/bin/env python3
"""Times programs one run at a time and prints medians; it never starts more than one at once.

measure.py run RESULTS CASE TOOL [--ok CODES] -- COMMAND…   runs it, and appends a JSON line to RESULTS
measure.py report RESULTS [--own TOOL]                      prints a table for each case, with ratios own/other
measure.py compare RESULTS TOOL CASE OTHER                   prints the ratio of two cases of one tool
measure.py free-port                                        prints a port of 127.0.0.1 that is free now

Peak memory is that of the largest process. GNU time (package `time`) measures it exactly; without it the figure is never
below that of this interpreter, some 10 MiB, and is marked with `<=`.
"""

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

GNU_TIME = "/usr/bin/time"


def run(results, case, tool, accepted_codes, command):
    exact = os.path.exists(GNU_TIME)
    with tempfile.NamedTemporaryFile("r") as peak_file:
        argv = [GNU_TIME, "-q", "-f", "%M", "-o", peak_file.name, *command] if exact else command
        started = time.monotonic()
        child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        output = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        wall_s = time.monotonic() - started
        code = os.waitstatus_to_exitcode(status)
        if exact:
            usage_kib = int(peak_file.read().split()[-1])
        else:
            usage_kib = usage.ru_maxrss
    # Told to `subprocess`, which did not wait for the child itself.
    child.returncode = code
    if code not in accepted_codes:
        sys.stderr.buffer.write(output[-2000:])
        sys.exit(f"{case}: {tool} ended with {code}: {' '.join(command[:6])} …")
    row = {
        "case": case,
        "tool": tool,
        "wall_s": wall_s,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "peak_mib": usage_kib / 1024,
        "peak_exact": exact,
    }
    with open(results, "a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
    sys.stdout.buffer.write(output)


def report(results, own):
    with open(results, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    cases = list(dict.fromkeys(row["case"] for row in rows))
    for case in cases:
        tools = list(dict.fromkeys(row["tool"] for row in rows if row["case"] == case))
        medians = {}
        print(f"\n{case}")
        print(f"  {'':10} {'wall s':>8} {'least':>8} {'most':>8} {'CPU s':>8} {'peak MiB':>9}  n")
        for tool in tools:
            mine = [row for row in rows if row["case"] == case and row["tool"] == tool]
            walls = [row["wall_s"] for row in mine]
            medians[tool] = statistics.median(walls)
            cpu_s = statistics.median(row["cpu_s"] for row in mine)
            peak_mib = max(row["peak_mib"] for row in mine)
            mark = "" if all(row["peak_exact"] for row in mine) else "<="
            print(
                f"  {tool:10} {medians[tool]:8.3f} {min(walls):8.3f} {max(walls):8.3f} {cpu_s:8.3f}"
                f" {mark + format(peak_mib, '.1f'):>9}  {len(walls)}"
            )
        if own in medians:
            for tool in tools:
                if tool != own:
                    print(f"  {own}/{tool}: {medians[own] / medians[tool]:.2f}")


def compare(results, tool, case, other):
    with open(results, encoding="utf-8") as file:
        rows = [row for row in map(json.loads, file) if row["tool"] == tool]
    wall, base = (statistics.median(row["wall_s"] for row in rows if row["case"] == name) for name in (case, other))
    print(f"\n{tool}, {case} / {other}: {wall / base:.2f}")


def main(argv):
    if argv[:1] == ["free-port"]:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            print(probe.getsockname()[1])
    elif argv[:1] == ["report"] and len(argv) >= 2:
        own = argv[argv.index("--own") + 1] if "--own" in argv else "gannet"
        report(argv[1], own)
    elif argv[:1] == ["compare"] and len(argv) == 5:
        compare(*argv[1:])
    elif argv[:1] == ["run"] and "--" in argv:
        split = argv.index("--")
        head, command = argv[1:split], argv[split + 1 :]
        codes = {0}
        if "--ok" in head:
            at = head.index("--ok")
            codes = {int(code) for code in head[at + 1].split(",")}
            del head[at : at + 2]
        if len(head) != 3 or not command or shutil.which(command[0]) is None:
            sys.exit(__doc__)
        run(*head, codes, command)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
