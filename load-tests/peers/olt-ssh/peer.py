"""Polls simulated OLTs with netmiko or asyncssh, and prints what a poll costs: CPU milliseconds cold and warm, bytes of one.

Cold: login, set-up, one table, log-out, on an OLT each. Warm: the table again over one session. Only the text is read, nothing of it is parsed.

usage: peer.py netmiko|asyncssh PASSWORD_ENV PORT WARM_POLLS ADDRESS...      (the first address is polled warm)
"""

import asyncio
import os
import re
import sys
import time

COMMAND = "display ont info summary 0"
SET_UP = ["enable", "undo smart", "scroll 512", "config"]
PROMPT = re.compile(rb"[\w.-]+(\([^)]*\))?[>#]\s*$")


class Netmiko:
    def __init__(self, address, port, password):
        from netmiko import ConnectHandler

        self.line = ConnectHandler(
            device_type="huawei_smartax", host=address, port=port, username="noc", password=password
        )
        self.line.send_command("scroll 512", expect_string=r"[>#]")
        self.line.enable()
        self.line.config_mode()

    def poll(self):
        return len(self.line.send_command(COMMAND, expect_string=r"\(config\)#", read_timeout=60))

    def close(self):
        self.line.remote_conn.close()


class Asyncssh:
    def __init__(self, address, port, password):
        self.loop = asyncio.new_event_loop()
        self.loop.run_until_complete(self.open(address, port, password))

    async def open(self, address, port, password):
        import asyncssh

        self.connection = await asyncssh.connect(
            address, port=port, username="noc", password=password, known_hosts=None, client_keys=None
        )
        self.process = await self.connection.create_process(term_type="vt100", term_size=(200, 0), encoding=None)
        await self.answer()
        for command in SET_UP:
            await self.ask(command)

    async def answer(self):
        said = b""
        while not PROMPT.search(said[-200:]):
            said += await self.process.stdout.read(65536)
        return said

    async def ask(self, command):
        self.process.stdin.write(command.encode() + b"\n")
        return await self.answer()

    def poll(self):
        return len(self.loop.run_until_complete(self.ask(COMMAND)))

    def close(self):
        self.connection.close()
        self.loop.run_until_complete(self.connection.wait_closed())
        self.loop.close()


def main():
    kind, password, port, polls, *addresses = sys.argv[1:]
    client = {"netmiko": Netmiko, "asyncssh": Asyncssh}[kind]
    password, port, polls = os.environ[password], int(port), int(polls)
    warm_address, *cold = addresses
    __import__(kind)
    # What happens once in a process is not part of a poll.
    first = client(warm_address, port, password)
    size = first.poll()
    began = time.process_time()
    for _ in range(polls):
        first.poll()
    warm = (time.process_time() - began) / polls
    first.close()
    began = time.process_time()
    for address in cold:
        line = client(address, port, password)
        line.poll()
        line.close()
    cold_cpu = (time.process_time() - began) / len(cold)
    print(f"{cold_cpu * 1e3:.3f} {warm * 1e3:.3f} {size}")


main()
