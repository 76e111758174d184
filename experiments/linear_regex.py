"""Regular expressions that people send, in an engine that takes linear time (RE2)."""

from __future__ import annotations

import re2


def compile_linear(
    pattern: str, *, max_bytes: int, case_sensitive: bool = True, never_crosses_lines: bool = False
) -> re2._Regexp:
    """max_bytes: what the compiled program may take. Raises ValueError with the reason if it is not understood."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = max_bytes
    options.case_sensitive = case_sensitive
    options.never_nl = never_crosses_lines
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        reason = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        raise ValueError(f"the regular expression is not understood: {reason} (RE2 syntax)") from None
