"""Keeps the index in step with the run directories. docs/design/0003-index-and-mirror.md says how and why.

discovery, run_documents (runicorn.storage)   find run directories, read their documents
marks, events, parse                          what changed, and what it says
updates, apply, write, merge                  from that to rows
runs, refresh, liveness, loop                 the whole root, one run, who still lives, the process
"""

from experiments.mirror.refresh import refresh_run
from experiments.mirror.runs import RunsMirror

__all__ = ["RunsMirror", "refresh_run"]
