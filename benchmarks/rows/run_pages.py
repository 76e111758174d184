"""Pages of 50 of the V2 API, filtered and sorted at random, and the page that a browser loads."""

from __future__ import annotations

import random
from urllib.parse import urlencode

from benchmarks.measurement import Row, median, percentile
from benchmarks.roots import EXPERIMENTS, PROJECTS
from benchmarks.setting import Setting, touch


def measure(setting: Setting) -> list[Row]:
    root, choose = setting.many_runs, random.Random(5)
    runs = list(root.glob("*/*/runs/*"))
    api, pages = [], []
    with setting.viewer(root, setting.home("many")) as viewer:
        client = viewer.client()
        for _ in range(10):
            client.get(random_page(choose))
            client.get("/runs")
        for _ in range(setting.size(300, 60)):
            touch(choose.choice(runs))
            api.append(client.timed_get(random_page(choose)))
        for _ in range(setting.size(60, 15)):
            touch(choose.choice(runs))
            pages.append(client.timed_get(f"/runs?{urlencode(_page_query(choose))}"))
    return [
        Row("GET /api/v2/experiments, page of 50", median(api), "ms", 8, {"p95": percentile(api, 95)}),
        Row("run list page", median(pages), "ms", 40, {"p95": percentile(pages, 95)}),
    ]


def random_page(choose: random.Random) -> str:
    """A page of 50: a filter, a sort order and a page number by chance."""
    filters: list[dict[str, object]] = [
        {"project": f"project-{choose.randrange(PROJECTS)}"},
        {"name": f"experiment-{choose.randrange(EXPERIMENTS):02d}"},
        {"status": choose.choice(["finished", "failed", "failed,interrupted"])},
        {"best_metric_min": round(choose.random() / 2, 3)},
        {"search": f"experiment-{choose.randrange(EXPERIMENTS):02d}"},
        {"tags": choose.choice(["baseline", "sweep", "final"])},
    ]
    query = choose.choice(filters) | {
        "order_by": choose.choice(["created_at", "updated_at", "best_metric_value", "status"]),
        "order_desc": choose.choice(["true", "false"]),
        "page": choose.randint(1, 4),
        "per_page": 50,
    }
    return f"/api/v2/experiments?{urlencode(query)}"


def _page_query(choose: random.Random) -> dict[str, object]:
    filters: list[dict[str, object]] = [
        {},
        {"project": f"project-{choose.randrange(PROJECTS)}"},
        {"status": choose.choice(["finished", "failed"])},
    ]
    return choose.choice(filters) | {"page": choose.randint(1, 3)}
