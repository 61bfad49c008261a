"""A server that says exactly what it is told to, one script a connection."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from controlplane.client.known import Snapshot
from projections.flags import Flag
from tests.client.flags import sent

STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
STAY = b"stay"
"""At the end of a script: say nothing more, and do not hang up."""


def whole(snapshot: Snapshot) -> bytes:
    flags = b",".join(bytes(raw) for raw in snapshot.flags)
    head = f'{{"environment":"{snapshot.environment}","position":{snapshot.position},"flags":['
    return b"id: %d\nevent: snapshot\ndata: %s%s]}\n\n" % (
        snapshot.position,
        head.encode(),
        flags,
    )


def one(flag: Flag) -> bytes:
    return b"id: %d\nevent: flag\ndata: %s\n\n" % (flag.position, sent(flag))


@dataclass
class Scripted:
    scripts: list[list[bytes]]
    asked: list[str] = field(default_factory=list)
    """The head of every request."""
    url: str = ""
    _open: list[socket.socket] = field(default_factory=list)

    def serve(self, listening: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listening.accept()
                self._open.append(connection)
                head = connection.recv(65536).decode("latin-1")
                self.asked.append(head)
                script = self.scripts.pop(0) if self.scripts else [STAY]
                with suppress(OSError):
                    for part in script:
                        if part is STAY:
                            break
                        connection.sendall(part)
                    else:
                        connection.close()

    def close(self) -> None:
        for connection in self._open:
            connection.close()


@contextmanager
def scripted(*scripts: list[bytes]) -> Iterator[Scripted]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = Scripted(list(scripts), url=f"http://127.0.0.1:{listening.getsockname()[1]}")
        threading.Thread(target=server.serve, args=(listening,), daemon=True).start()
        yield server
        server.close()
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
