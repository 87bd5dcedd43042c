"""Connections of stomp.py over WebSocket.

Reads commands from stdin and writes received frames to stdout, both as JSON lines.
"""

import json
import os
import sys
import threading
from urllib.parse import urlsplit

import stomp

output_lock = threading.Lock()


def say(connection, event, **fields):
    with output_lock:
        sys.stdout.write(json.dumps({"as": connection, "event": event, **fields}) + "\n")
        sys.stdout.flush()


class Listener(stomp.ConnectionListener):
    def __init__(self, connection):
        self.connection = connection
        self.leaving = False

    def on_connected(self, frame):
        say(self.connection, "connected")

    def on_message(self, frame):
        say(self.connection, "message", headers=frame.headers, body=frame.body)

    def on_receipt(self, frame):
        say(self.connection, "receipt", headers=frame.headers)

    def on_error(self, frame):
        say(self.connection, "failed", reason=str(frame.headers) + str(frame.body))

    def on_disconnected(self):
        if self.leaving:
            say(self.connection, "left")
        else:
            say(self.connection, "failed", reason="disconnected")


class Connections:
    def __init__(self):
        self.open = {}

    def connect(self, name, url, token, userId):
        address = urlsplit(url)
        client = stomp.WSStompConnection(
            [(address.hostname, address.port)], ws_path="/my-chat/websocket", heartbeats=(10000, 10000)
        )
        listener = Listener(name)
        client.set_listener("", listener)
        self.open[name] = (client, listener)
        client.connect(headers={"access-token": token, "user-id": str(userId)})

    def subscribe(self, name, destination, headers):
        more = {key: value for key, value in headers.items() if key != "id"}
        self.open[name][0].subscribe(destination, headers["id"], headers=more)

    def unsubscribe(self, name, id):
        self.open[name][0].unsubscribe(id)

    def send(self, name, destination, body, headers):
        self.open[name][0].send(destination, body, content_type="application/json", headers=headers)

    def leave(self, name):
        client, listener = self.open.pop(name)
        listener.leaving = True
        client.disconnect(receipt="bye")


connections = Connections()
for line in sys.stdin:
    command = json.loads(line)
    operation, connection = command.pop("op"), command.pop("as")
    try:
        getattr(connections, operation)(connection, **command)
    except Exception as error:
        say(connection, "failed", reason=f"{operation}: {error!r}")
os._exit(0)
