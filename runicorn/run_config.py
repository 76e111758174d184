"""The parameters of a run, kept in step with config.json."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any

from runicorn.errors import InvalidInput
from runicorn.storage.plain import plain, plain_key


class RunConfig(MutableMapping[str, Any]):
    """Behaves like a dict of the values the script gave; every change rewrites config.json.

    save: given the whole config as plain JSON, in which values of other types are their texts.
    """

    def __init__(self, values: Mapping[str, Any], *, save: Callable[[dict[str, Any]], None]) -> None:
        self._values = dict(values)
        self._save = save

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.update({key: value})

    def __delitem__(self, key: str) -> None:
        del self._values[key]
        self._save(plain_config(self._values))

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"RunConfig({self._values!r})"

    def update(self, other: Any = (), /, **values: Any) -> None:
        """As dict.update; the file is written once. Also takes an argparse.Namespace or a dataclass."""
        self._values.update(dict(other) if other == () else as_parameters(other), **values)
        self._save(plain_config(self._values))


def as_parameters(config: object) -> dict[str, Any]:
    """A script's parameters as a dict. config: a mapping, pairs, or an object with attributes. Raises InvalidInput."""
    if config is None:
        return {}
    if not isinstance(config, Mapping) and hasattr(config, "__dict__"):
        return dict(vars(config))
    try:
        return dict(config)  # type: ignore[call-overload, no-any-return]  # what it is not, dict refuses
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"config is {config!r}; give a dict.") from error


def plain_config(values: Mapping[str, Any]) -> dict[str, Any]:
    """What config.json holds. A value that JSON cannot hold (a path, a class) is written as its text."""
    return {plain_key(key): plain(value, otherwise=str) for key, value in values.items()}
