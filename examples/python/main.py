"""A chat in a terminal. Each line of standard input becomes a message of the room.

Usage: python main.py [SERVER] [USER] [ROOM]
"""

import asyncio
import json
import random
import sys
import threading
import urllib.request
import uuid
from collections import deque

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from stomp import Frame, decode, encode

DEFAULTS = ["http://127.0.0.1:8080", "1", "5"]
SERVER, USER, ROOM = sys.argv[1:4] + DEFAULTS[len(sys.argv) - 1 :]
NEVER = {2100, 2103, 2112, 2413, 4111}  # refusals that stay refusals
ANSWER_SECONDS = 10


def demo_token() -> str:
    """Asks the demo for a token. An application asks its own service."""
    request = urllib.request.Request(
        f"{SERVER}/demo/token",
        data=json.dumps({"userId": int(USER)}).encode(),
        headers={"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)["token"]


class Chat:
    """Keeps the order of the messages, resumes after an outage, and sends nothing twice."""

    def __init__(self) -> None:
        self.last_seq = 0  # the newest number that was printed
        self.unsent: deque[tuple[str, str]] = deque()  # nonce and text
        self.may_send = asyncio.Event()

    def say(self, text: str) -> None:
        self.unsent.append((str(uuid.uuid4()), text))
        if len(self.unsent) == 1:
            self.may_send.set()

    async def run(self) -> None:
        """Connects again after each end of a connection, with a growing random pause."""
        pause = 0.5
        while True:
            began = asyncio.get_running_loop().time()
            try:
                await self.session()
            except (OSError, WebSocketException) as error:
                print(f"no connection: {error}", file=sys.stderr, flush=True)
            if asyncio.get_running_loop().time() - began > 5:
                pause = 0.5
            await asyncio.sleep(random.uniform(0, pause))
            pause = min(pause * 2, 20)

    async def session(self) -> None:
        token = await asyncio.to_thread(demo_token)
        url = SERVER.replace("http", "ws", 1) + "/my-chat/websocket"
        async with connect(url, subprotocols=["v12.stomp"]) as socket:
            headers = {"accept-version": "1.2", "host": "chat", "access-token": token}
            await self.send(socket, "CONNECT", headers)
            sender = None
            try:
                async for text in socket:
                    frame = decode(str(text))
                    if frame is None:
                        continue
                    if frame.command == "CONNECTED":
                        await self.subscribe(socket)
                        sender = asyncio.create_task(self.send_messages(socket))
                    else:
                        self.handle(frame)
            finally:
                if sender is not None:
                    sender.cancel()

    async def subscribe(self, socket: ClientConnection) -> None:
        """Refusals first. Then everything after `last_seq`, in order, and live events."""
        errors = {"id": "errors", "destination": "/user/queue/errors"}
        await self.send(socket, "SUBSCRIBE", errors)
        room = {
            "id": "room",
            "destination": f"/topic/direct/{ROOM}",
            "last-seq": str(self.last_seq),
        }
        await self.send(socket, "SUBSCRIBE", room)

    async def send_messages(self, socket: ClientConnection) -> None:
        """Sends one message at a time, so that the order stays. Repeats it if no answer comes."""
        while True:
            self.may_send.clear()
            if self.unsent:
                nonce, text = self.unsent[0]
                headers = {"destination": "/kafka/send-direct-message", "receipt": nonce}
                body = {"channelId": int(ROOM), "content": text, "nonce": nonce}
                await self.send(socket, "SEND", headers, json.dumps(body))
            try:
                await asyncio.wait_for(self.may_send.wait(), ANSWER_SECONDS)
            except TimeoutError:
                pass

    def handle(self, frame: Frame) -> None:
        if frame.command == "RECEIPT":
            self.done(frame.headers["receipt-id"])
            return
        event = json.loads(frame.body)
        if frame.command == "ERROR" or frame.headers.get("subscription") == "errors":
            self.refused(event)
            return
        self.last_seq = max(self.last_seq, event.get("seq", 0))
        if event["type"] in ("message", "reply"):
            print(f"{event['seq']} {event['name']}: {event['message']}", flush=True)
        elif event["type"] == "reset":
            print("too much was missed: read the history by HTTP", flush=True)

    def refused(self, error: dict) -> None:
        print(f"refused {error['code']}: {error['message']}", flush=True)
        if error["code"] in NEVER:
            self.done(error.get("receipt-id"))
        else:
            pause = error.get("retry-after-ms", 2000) / 1000
            asyncio.get_running_loop().call_later(pause, self.may_send.set)

    def done(self, nonce: str | None) -> None:
        if self.unsent and self.unsent[0][0] == nonce:
            self.unsent.popleft()
            self.may_send.set()

    async def send(
        self, socket: ClientConnection, command: str, headers: dict[str, str], body: str = ""
    ) -> None:
        await socket.send(encode(command, headers, body))


async def main() -> None:
    chat = Chat()
    loop = asyncio.get_running_loop()

    def read_lines() -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(chat.say, line.rstrip("\n"))

    threading.Thread(target=read_lines, daemon=True).start()
    await chat.run()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        pass
