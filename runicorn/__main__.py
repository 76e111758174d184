"""``python -m runicorn`` is the ``runicorn`` command."""

from runicorn.cli import main

if __name__ == "__main__":
    main()
