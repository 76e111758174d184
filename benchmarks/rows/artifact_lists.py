"""GET /api/artifacts with all artifacts, and the lineage of one version through a large graph."""

from __future__ import annotations

import orjson

from benchmarks import roots
from benchmarks.measurement import Row, median, percentile, wait_until
from benchmarks.setting import INDEX_TIMEOUT_S, Setting


def measure(setting: Setting) -> list[Row]:
    root, home = setting.folder / "artifact-lists", setting.home("artifact-lists")
    count, repetitions = setting.size(2_000, 200), setting.size(30, 8)
    roots.many_artifacts(root, artifact_count=count)
    last = f"/api/artifacts/{roots.artifact_name(0)}/v{roots.GENERATIONS}/lineage?max_depth={roots.GENERATIONS}"
    with setting.viewer(root, home) as viewer:
        client = viewer.client()
        wait_until(
            lambda: home.query("SELECT COUNT(*) FROM artifacts_artifactversion") == [(count * roots.GENERATIONS,)],
            timeout_s=INDEX_TIMEOUT_S,
            what="Indexing the artifacts",
        )
        assert len(orjson.loads(client.get("/api/artifacts"))) == count
        lists = [client.timed_get("/api/artifacts") for _ in range(repetitions)]
        edges = len(orjson.loads(client.get(last))["edges"])
        lineages = [client.timed_get(last) for _ in range(repetitions)]
    in_graph = roots.related_artifacts(count) * (2 * roots.GENERATIONS - 1)
    return [
        _row(f"list of {count:,} artifacts with {count * roots.GENERATIONS:,} versions", lists),
        _row(f"lineage through {in_graph:,} edges, depth {roots.GENERATIONS}", lineages, edges=edges),
    ]


def _row(name: str, samples: list[float], **more: int) -> Row:
    return Row(name, median(samples), "ms", 100, {"p95_ms": percentile(samples, 95), **more})
