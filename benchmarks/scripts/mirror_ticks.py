"""Brings an index in step, then ticks; prints what that took and which event files were opened.

Argument: ticks to measure. What the mirror process does, without its pauses between ticks.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import threading
import time


def main() -> None:
    begin = time.perf_counter()
    opened: list[str] = []
    sys.addaudithook(lambda event, arguments: _note(opened, arguments) if event == "open" else None)
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "runicorn_site.settings"
    django.setup()
    from experiments.mirror.loop import GC_THRESHOLD, mirror_once
    from experiments.mirror.roots import ensure_local_root
    from runicorn_site.databases import prepare
    from runicorn_site.mirror import MIRRORS

    prepare()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, 20, 20)  # as run_mirror does
    root = ensure_local_root(now=time.time())
    stop, loaded = threading.Event(), time.perf_counter()
    while mirror_once(MIRRORS, root, now=time.time(), stop=stop):
        pass
    in_step = time.perf_counter()
    opened_until_in_step = len(opened)
    ticks_ms = []
    for _ in range(int(sys.argv[1])):
        tick = time.perf_counter()
        mirror_once(MIRRORS, root, now=time.time(), stop=stop)
        ticks_ms.append((time.perf_counter() - tick) * 1000)
    answer = {
        "start_s": loaded - begin,
        "in_step_s": in_step - loaded,
        "event_files_opened": opened_until_in_step,
        "ticks_ms": ticks_ms,
    }
    print(json.dumps(answer))


def _note(opened: list[str], arguments: tuple[object, ...]) -> None:
    name = str(arguments[0]).rpartition("/")[2]
    if name.startswith("events") and name.endswith(".jsonl"):
        opened.append(name)


if __name__ == "__main__":
    main()
