"""A way to a server on which the first answer is lost, so that whoever asked cannot know what became of it."""

import socket
import threading
from contextlib import suppress


class Cut:
    """Passes a port of its own on to another. The first thing that the server says is heard by nobody."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self.lost = 0
        self.in_vain = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        """Listen no more."""
        self._listener.close()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._talk, args=[client], daemon=True).start()

    def _talk(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self._target_port))
        except OSError:
            self.in_vain += 1
            client.close()
            return
        threading.Thread(target=self._pass, args=[client, server], daemon=True).start()
        self._pass(server, client, answers=True)

    def _pass(self, source: socket.socket, target: socket.socket, *, answers: bool = False) -> None:
        with suppress(OSError), source, target:
            while heard := source.recv(65_536):
                if answers and not self.lost:
                    self.lost += 1
                    target.shutdown(socket.SHUT_RDWR)
                    return
                target.sendall(heard)
            target.shutdown(socket.SHUT_RDWR)
