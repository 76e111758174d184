"""The logs of runs: following them (API and pages), reading them anywhere, their line numbers, searching them."""
