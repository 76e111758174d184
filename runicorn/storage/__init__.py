"""The on-disk format: every file name and JSON key of a storage root is named in this package, once.

The format itself is described in docs/design/0002-run-directories.md.
"""
