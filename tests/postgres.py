"""A real PostgreSQL server in a folder of its own, for tests and figures of the store."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PASSWORD = "s3cret"


def programs() -> Path | None:
    """The folder of PostgreSQL's own programs; Debian keeps them off the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    initdb = str(found[0]) if found else shutil.which("initdb")
    return Path(initdb).parent if initdb else None


class Cluster:
    """A server that listens on this machine only. PostgreSQL refuses to run as root: then it runs as `postgres`."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self._programs = programs
        self._data = folder / "data"
        self._user = "postgres" if sys.platform != "win32" and os.geteuid() == 0 else None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._sockets = Path(tempfile.mkdtemp(prefix="pg", dir=folder))  # a path of a socket is short
        for path in (folder, self._sockets):
            if self._user:
                shutil.chown(path, self._user)

    def create(self) -> None:
        """Make an empty cluster whose superuser `postgres` logs on with a password."""
        with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as password:
            password.write(PASSWORD)
            password.flush()
            Path(password.name).chmod(0o644)
            options = ["--username=postgres", f"--pwfile={password.name}", "--auth=scram-sha-256"]
            self._run("initdb", "--pgdata", str(self._data), "--encoding=UTF8", "--no-sync", *options)

    def start(self, *, fsync: bool = False) -> None:
        """Start the server and wait until it answers."""
        options = (
            f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self._sockets} "
            f"-c fsync={'on' if fsync else 'off'}"
        )
        log = str(self._data / "server.log")
        self._run("pg_ctl", "start", "--wait", "--pgdata", str(self._data), "--log", log, "--options", options)

    def stop(self, mode: str = "immediate") -> None:
        """End the server: `immediate` as a crash would."""
        self._run("pg_ctl", "stop", "--pgdata", str(self._data), "--mode", mode)

    def database(self, name: str) -> str:
        """Make a database; gives its URL."""
        import psycopg

        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')  # type: ignore[call-overload] # a test's own name
        return self.url(name)

    def size(self, database: str) -> float:
        """Megabytes that a database takes."""
        import psycopg

        with psycopg.connect(self.url(database)) as connection:
            row = connection.execute("SELECT pg_database_size(%s)", [database]).fetchone()
        return float(row[0]) / 1e6 if row else 0.0

    def url(self, database: str, password: str = PASSWORD) -> str:
        """The address of a database."""
        return f"postgresql://postgres:{password}@127.0.0.1:{self.port}/{database}"

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        # The server inherits what it is given: a pipe would stay open for as long as it runs.
        with tempfile.TemporaryFile() as said:
            done = subprocess.run(command, user=self._user, cwd="/", stdout=said, stderr=said, timeout=60)
            said.seek(0)
            assert done.returncode == 0, f"{program}: {said.read().decode()}"


@contextmanager
def running(programs: Path, *, fsync: bool = False) -> Iterator[Cluster]:
    """A server that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="fleetscan-pg-"))
    folder.chmod(0o755)
    cluster = Cluster(folder, programs)
    try:
        cluster.create()
        cluster.start(fsync=fsync)
        yield cluster
    finally:
        with contextlib.suppress(AssertionError):
            cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)
