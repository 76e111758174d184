"""Rate limits: docs/design/0011-rate-limits.md."""
