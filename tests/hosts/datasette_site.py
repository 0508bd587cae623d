"""Datasette over one table of towns. Has never heard of consent."""

from __future__ import annotations

import gc
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from datasette.app import Datasette


@contextmanager
def towns(folder: Path) -> Iterator[Datasette]:
    """A Datasette in which nobody is signed in."""
    path = folder / "towns.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("create table towns (id integer primary key, name text)")
        database.executemany("insert into towns (name) values (?)", [("Stafford",), ("Leek",)])
    datasette = Datasette([str(path)], secret="a secret for tests, and for tests alone")
    yield datasette
    for each in datasette.databases.values():
        each.close()
    datasette.executor.shutdown()
    gc.collect()  # what it leaves behind complains here, and in nobody else's test
