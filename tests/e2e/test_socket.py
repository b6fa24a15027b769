# SPDX-License-Identifier: Apache-2.0
"""The Unix socket: whose it is, what becomes of one that was left behind, and that it speaks as TCP does."""

import grp
import os
import socket
import stat
import subprocess
import unittest

from stack import Stack, events


def other_group():
    """A group that is not the process's and that it may give a socket to; None when there is none."""
    if os.geteuid() == 0:
        return grp.getgrnam("daemon")
    mine = [g for g in os.getgroups() if g != os.getegid()]
    return grp.getgrgid(mine[0]) if mine else None


class Socket(unittest.TestCase):
    def stack(self, listen=None, **more):
        s = Stack(start=False, jobs=0, workers=1, **more)
        self.addCleanup(s.stop)
        if listen:
            with open(s.config, encoding="utf-8") as file:
                text = file.read()
            s.write(s.config, text.replace('"unix:cogent.sock"', f'"{listen(s)}"'))
        return s

    def refused(self, s, words):
        s.start(wait=False)
        self.assertEqual(1, s.server.wait(60))
        self.assertIn(words, s.logged())
        s.server = None

    def test_rights_of_its_own(self):
        s = self.stack()
        path = os.path.join(s.state, "cogent.sock")
        before = os.umask(0)  # whatever it was: the mode is the configuration's
        try:
            s.start()
        finally:
            os.umask(before)
        found = os.stat(path)
        self.assertEqual((0o660, os.getegid()), (stat.S_IMODE(found.st_mode), found.st_gid))

    def test_rights_as_configured(self):
        group = other_group()
        if not group:
            self.skipTest("this user is in one group only")
        s = self.stack(listen=lambda s: f"unix:{s.folder}/run/cogent.sock",
                       config=f'socket = {{ mode = "0600", group = "{group.gr_name}" }},')
        before = os.umask(0o077)
        try:
            s.start()
        finally:
            os.umask(before)
        found, folder = os.stat(s.folder + "/run/cogent.sock"), os.stat(s.folder + "/run")
        self.assertEqual((0o600, group.gr_gid), (stat.S_IMODE(found.st_mode), found.st_gid))
        self.assertEqual((0o750, group.gr_gid), (stat.S_IMODE(folder.st_mode), folder.st_gid))

    def test_wrong_rights(self):
        for config, words in (('socket = { mode = "rw" },', "octal"), ('socket = { mode = "0066" },', "owner"),
                              ('socket = { mdoe = "0660" },', "mode"), ('socket = { mode = "07777" },', "octal")):
            s = self.stack(config=config)
            done = subprocess.run([os.environ["COGENTD"], "-c", s.config, "--check-config"], stderr=subprocess.PIPE, text=True)
            self.assertNotEqual(0, done.returncode)
            self.assertIn(words, done.stderr)
        self.refused(self.stack(config='socket = { group = "no-such-group" },'), "no group")

    def test_one_left_behind_is_replaced(self):
        s = self.stack()
        path = os.path.join(s.state, "cogent.sock")
        left = socket.socket(socket.AF_UNIX)
        left.bind(path)
        left.listen()
        left.close()  # the name stays, nobody listens
        s.start()
        self.assertEqual(200, s.get("/healthz", unix=True).status)

    def test_one_that_lives_is_refused(self):
        s = self.stack()
        path = os.path.join(s.state, "cogent.sock")
        with socket.socket(socket.AF_UNIX) as held:
            held.bind(path)
            held.listen()
            self.refused(s, "another server listens there")
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(path)  # it is the other's still
        os.unlink(path)
        with open(path, "w", encoding="utf-8") as file:
            file.write("mine")
        self.refused(s, "no socket has this name")
        with open(path, encoding="utf-8") as file:
            self.assertEqual("mine", file.read())

    def test_both_doors_speak_alike(self):
        with Stack(jobs=1, workers=2) as s:
            s.wait_for_feeds()
            shapes = []
            for unix in (False, True):
                whole = s.ask("What is the total of invoice 536365?", unix=unix)
                reply = s.post("/v1/assistant/chat/stream", {"query": "What is the total of invoice 536365?"}, unix=unix)
                lines = [(e["event"], sorted(e["data"])) for e in events(reply.body) if e["event"] != "step"]
                error = s.post("/v1/assistant/chat", {"query": ""}, unix=unix)
                shapes.append((whole["content"], reply.headers["Content-Type"], lines, error.status, sorted(error.json),
                               sorted(h.lower() for h in reply.headers)))
            self.assertEqual(*shapes)
            self.assertIn("139.12", shapes[0][0])


if __name__ == "__main__":
    unittest.main(verbosity=2)
