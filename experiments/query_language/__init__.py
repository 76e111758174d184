"""The query language of runs: one expression for the API, the filter box, and programs.

    metrics.val_acc.max > 0.9 and config.lr < 1e-3 and (tags has "baseline" or not status = failed) and name ~ "resnet"

``parser`` reads a text into ``nodes``; ``conditions`` turns those into conditions of the ORM by the ``fields`` there
are. Nothing is evaluated. What people may write: docs/filters.md.
"""
