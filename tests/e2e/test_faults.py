# SPDX-License-Identifier: Apache-2.0
"""A machine that has run out: of descriptors, of room on the disk, of a disk that keeps what it is told, and of a clock
that goes on evenly. Reads go on, a write whose record is not safe is not sent, and when the fault is over all is as before."""

import http.client
import json
import os
import resource
import socket
import subprocess
import time
import unittest

from faults import Faults
from stack import Stack, events, token, until

INVOICE = "Create an invoice for customer 17850: 6 of 85123A at 2.55"
ENOSPC, EIO = 28, 5


def seconds_of(pid):
    """Processor time that a process has used."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Descriptors(unittest.TestCase):
    def test_who_waits_for_a_descriptor_waits_and_is_served(self):
        with Stack(workers=1, jobs=0, models={"main": ["rules"], "endless": ["mock/endless"]}) as stack:
            kept = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=30)
            kept.request("POST", "/v1/assistant/chat/stream", json.dumps({"query": "go on", "model": "endless"}),
                         {"Authorization": "Bearer " + token()})
            reply = kept.getresponse()
            self.assertTrue(reply.read1(4096))
            pid = stack.workers()[0]
            before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
            taken = {int(fd) for fd in os.listdir(f"/proc/{pid}/fd")}
            most = next(fd for fd in range(1024) if fd not in taken) + 1  # one is left
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (most, before[1]))
            waiting = [socket.create_connection(("127.0.0.1", stack.port), 30) for _ in range(40)]
            for one in waiting:
                one.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            until("it to be told", lambda: '"event":"http.full"' in stack.logged())
            # It does not spin: for each second of the processor some pass on the wall.
            used, begun = seconds_of(pid), time.monotonic()
            while time.monotonic() - begun < 1.5:
                self.assertTrue(reply.read1(4096))  # who is in is served
                time.sleep(0.05)
            self.assertLess(seconds_of(pid) - used, 0.5 * (time.monotonic() - begun))
            self.assertLess(stack.logged().count('"event":"http.full"'), 6)  # once a second at most
            resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
            for one in waiting:
                self.assertIn(b" 200 ", one.recv(4096)[:40])
                one.close()
            self.assertTrue(reply.read1(4096))
            kept.close()
            self.assertEqual([pid], stack.workers())


class Disk(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = stack = Stack(workers=2, jobs=1, start=False,
                                  models={"main": ["rules"], "slow": ["mock/slow"], "endless": ["mock/endless"]})
        cls.addClassCleanup(stack.stop)
        cls.faults = Faults(stack.folder)
        stack.environment = cls.faults.environment()
        stack.start()
        stack.wait_for_feeds()

    def setUp(self):
        self.addCleanup(self.faults.set, write_errno=0, fsync_errno=0, clock_ms=0)

    def invoices(self):
        return self.stack.erp.counts("demo")["invoices"]

    def approval(self):
        done = self.stack.stream(INVOICE)[-1]["data"]
        self.assertEqual("waiting", done["status"])
        return done["approvals"][0]

    def goes_well(self):
        """A question is answered, and a write is done once."""
        until("questions to be answered", lambda: self.stack.ask("What is the total of invoice 536365?").get("status") == "complete")
        before = self.invoices()
        found = events(self.stack.decide(self.approval(), stream=True).body)
        self.assertEqual("complete", found[-1]["data"]["status"])
        self.assertEqual(before + 1, self.invoices())

    def test_a_full_disk_refuses_effects_and_reads_go_on(self):
        approval, before = self.approval(), self.invoices()
        self.faults.set(write_errno=ENOSPC)
        refused = self.stack.decide(approval)
        self.assertEqual((503, "unavailable"), (refused.status, refused.json["error"]["code"]), refused.body)
        asked = self.stack.ask(INVOICE)
        self.assertEqual((503, "unavailable"), (asked["status"], asked["error"]["code"]), asked)
        self.assertEqual(before, self.invoices())
        self.assertEqual(200, self.stack.get("/v1/me").status)
        self.assertEqual(200, self.stack.get("/v1/runs").status)
        self.assertEqual("waiting", self.stack.get("/v1/approvals/" + approval).data["state"])
        found = self.stack.post("/v1/search", {"query": "536365", "types": ["invoice"]})
        self.assertEqual((200, 1), (found.status, len(found.data)))
        self.assertGreater(self.faults.get("writes"), 0)
        self.assertIn('"event":"db.', self.stack.logged())
        self.faults.set(write_errno=0)
        done = events(self.stack.decide(approval, stream=True).body)
        self.assertEqual("complete", done[-1]["data"]["status"])
        self.assertEqual(before + 1, self.invoices())
        self.goes_well()

    def test_what_is_not_safe_on_the_disk_is_not_sent(self):
        approval, before = self.approval(), self.invoices()
        self.faults.set(fsync_errno=EIO)
        self.stack.decide(approval, stream=True)
        self.assertGreater(self.faults.get("syncs"), 0)
        self.assertEqual(before, self.invoices())
        self.faults.set(fsync_errno=0)
        self.goes_well()
        self.assertIn(self.invoices(), (before + 1, before + 2))  # what was allowed may be done later, once

    def test_a_clock_that_jumps_ends_nothing(self):
        soon, old = token(exp=time.time() + 1800), token(exp=time.time() + 7200)
        connection = http.client.HTTPConnection("127.0.0.1", self.stack.port, timeout=60)
        connection.request("POST", "/v1/assistant/chat/stream", json.dumps({"query": "go on", "model": "endless"}),
                           {"Authorization": "Bearer " + old})
        reply = connection.getresponse()
        workers, approval, before = set(self.stack.workers()), self.approval(), self.invoices()
        for jump in (3600000, -3600000):
            with self.subTest(jump=jump):
                self.faults.set(clock_ms=jump)
                for _ in range(20):
                    self.assertTrue(reply.read1(4096))
                # Tokens go by the wall clock, what waits does not.
                self.assertEqual(401 if jump > 0 else 200, self.stack.get("/v1/me", bearer=soon).status)
                done = self.stack.ask("hello", bearer=old, model="slow")
                self.assertEqual("complete", done["status"])
                self.assertEqual("waiting", self.stack.get("/v1/approvals/" + approval, bearer=old).data["state"])
                self.assertEqual(workers, set(self.stack.workers()))
        self.faults.set(clock_ms=0)
        connection.close()
        done = events(self.stack.decide(approval, stream=True).body)
        self.assertEqual("complete", done[-1]["data"]["status"])
        self.assertEqual(before + 1, self.invoices())
        self.goes_well()


if __name__ == "__main__":
    unittest.main(verbosity=2)
