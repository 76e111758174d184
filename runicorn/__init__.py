"""Runicorn: a local-first experiment tracker."""

__version__ = "1.0.0"
