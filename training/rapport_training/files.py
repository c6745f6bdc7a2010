"""Files that are written whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Gives the place beside `path` to write to; it takes the name once nothing went wrong."""
    part = path.with_name(path.name + ".part")
    yield part
    part.replace(path)
