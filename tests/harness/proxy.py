# SPDX-License-Identifier: Apache-2.0
"""A TCP proxy in front of a service that cuts connections on order: at every byte of a request, or of its answer.

    with Proxy(erp.port) as p:
        p.plan("POST", cut_reply=17, times=1)

Only requests of the planned method are cut; all others pass. A reply is cut after the service has answered whole: what it
did it has done. A request is cut before the service has it whole."""

import re
import socket
import threading


class Proxy:
    def __init__(self, port, host="127.0.0.1"):
        self.target = (host, port)
        self.lock = threading.Lock()
        self.method, self.cuts, self.times = None, {}, 0
        self.seen = []  # (request bytes, reply bytes) of the planned method
        self.listener = socket.create_server((host, 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.listener.close()

    def plan(self, method=None, times=1, **cuts):
        """cut_request=N, cut_reply=N or status=401: of the next `times` requests of the method."""
        with self.lock:
            self.method, self.cuts, self.times, self.seen = method, cuts, times, []

    def take(self, method):
        with self.lock:
            if method != self.method:
                return None
            if self.times <= 0:
                return {}
            self.times -= 1
            return self.cuts

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def message(self, sock, buffered=b""):
        """One HTTP message, whole; empty at the end of the connection."""
        data = buffered
        while b"\r\n\r\n" not in data:
            more = sock.recv(65536)
            if not more:
                return b""
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        want = int(length.group(1)) if length else 0
        while len(body) < want:
            more = sock.recv(65536)
            if not more:
                return b""
            body += more
        return head + b"\r\n\r\n" + body

    def serve(self, client):
        try:
            with client:
                while True:
                    request = self.message(client)
                    if not request or not self.exchange(client, request):
                        return
        except OSError:
            pass

    def exchange(self, client, request):
        cuts = self.take(request.split(b" ", 1)[0].decode())
        if cuts and "status" in cuts:
            client.sendall(b"HTTP/1.1 %d No\r\nContent-Length: 2\r\n\r\n{}" % cuts["status"])
            return True
        with socket.create_connection(self.target) as server:
            if cuts and "cut_request" in cuts:
                server.sendall(request[:cuts["cut_request"]])
                return False
            server.sendall(request)
            reply = self.message(server)
        if cuts is not None:
            with self.lock:
                self.seen.append((request, reply))
        if cuts and "cut_reply" in cuts:
            client.sendall(reply[:cuts["cut_reply"]])
            return False
        client.sendall(reply)
        return True
