"""A training script that does as it is told: one line in, done, the time as one line out.

Commands on standard input: ``log <step>``, ``text <line>``. Argument: storage root. The first line out is the run's
directory.
"""

from __future__ import annotations

import sys
import time

import runicorn as rn


def main() -> None:
    run = rn.init("bench", name="live", storage=sys.argv[1], capture_env=False, console=False)
    print(run.run_dir, flush=True)
    for line in sys.stdin:
        command, _, argument = line.rstrip("\n").partition(" ")
        begin = time.time()
        if command == "log":
            rn.log({"loss": 1 / int(argument), "acc": 0.5}, step=int(argument))
        else:
            rn.log_text(argument)
        print(begin, flush=True)


if __name__ == "__main__":
    main()
