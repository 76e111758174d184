"""Tests in a real browser. A package, so that what is of package scope ends with it: pytest asks for this file."""
