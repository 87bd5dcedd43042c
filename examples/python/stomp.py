"""STOMP 1.2 frames: text of the wire from and to a command, headers and a body."""

from typing import NamedTuple

ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", ":": "\\c"}


class Frame(NamedTuple):
    command: str
    headers: dict[str, str]
    body: str


def encode(command: str, headers: dict[str, str], body: str = "") -> str:
    """Returns the frame as text. CONNECT is not escaped, as STOMP 1.2 demands."""
    clean = (lambda text: text) if command == "CONNECT" else escape
    lines = [command] + [f"{clean(name)}:{clean(value)}" for name, value in headers.items()]
    return "\n".join(lines) + "\n\n" + body + "\0"


def decode(text: str) -> Frame | None:
    """Returns the frame, or None for a heart-beat, which is a line break."""
    if not text.strip("\r\n"):
        return None
    head, _, body = text.lstrip("\r\n").partition("\n\n")
    command, *lines = head.split("\n")
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.rstrip("\r").partition(":")
        headers.setdefault(unescape(name), unescape(value))  # the first one counts
    return Frame(command.rstrip("\r"), headers, body.rstrip("\n").removesuffix("\0"))


def escape(text: str) -> str:
    return "".join(ESCAPES.get(character, character) for character in text)


def unescape(text: str) -> str:
    result = text.replace("\\\\", "\0")  # a NUL byte cannot be in a header
    for character, escaped in (("\n", "\\n"), ("\r", "\\r"), (":", "\\c")):
        result = result.replace(escaped, character)
    return result.replace("\0", "\\")
