"""A tiny build of another front end: what Vite and the like make, without making it."""

from __future__ import annotations

from pathlib import Path

INLINE = 'document.documentElement.dataset.inline = "ran";\n'
INDEX = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><title>Another front end</title>
<link rel="icon" href="data:,">
<script>{INLINE}</script>
<script type="module" crossorigin src="/assets/index-4f2a.js"></script>
<link rel="stylesheet" crossorigin href="/assets/index-9c1d.css">
</head>
<body><div id="root"></div></body>
</html>
"""
SCRIPT = """\
const style = document.createElement("style");
style.textContent = "#root { font-weight: 700 }";
document.head.append(style);
const answer = await fetch("/api/runs");
const runs = await answer.json();
document.getElementById("root").textContent = `${location.pathname} shows ${runs.map((run) => run.id)}`;
const socket = new WebSocket(`ws://${location.host}/api/runs/${runs[0].id}/logs/ws`);
socket.onmessage = (message) => { document.body.dataset.line = message.data; };
"""


def make_build(folder: Path) -> Path:
    for name, content in {
        "index.html": INDEX,
        "assets/index-4f2a.js": SCRIPT,
        "assets/index-9c1d.css": "body { color: rgb(1, 2, 3) }\n",
        "logo.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
        "static/js/chunk.js": "export {};\n",
        ".env": "SECRET=1\n",
    }.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    return folder
