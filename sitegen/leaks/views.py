"""What a file says, however it is written: encoded, packed or interrupted by marks that nobody sees.

`bytes_of` opens what is packed; `text_of` makes one plain text of it. Both are bounded: a file that unpacks to more
than UNPACKED bytes is read that far.
"""

import base64
import binascii
import html
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from urllib.parse import unquote

_PNG = b"\x89PNG\r\n\x1a\n"
UNPACKED = 32 * 1024 * 1024
_ROUNDS = 3  # what is encoded four times over is no accident

_INVISIBLE = re.compile("[\u200b-\u200f\u00ad\u2060\ufeff]+")
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})")
# Runs that may be base64, also wrapped by line ends as in mails, and pairs of hexadecimal digits.
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}(?:\r?\n[A-Za-z0-9+/_-]{4,})*={0,2}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}){12,}")
_PDF_STREAM = re.compile(rb"stream\r?\n(.*?)endstream", re.S)
_KERNING = re.compile(r"\)\s*-?[\d.]+\s*\(")
_PRINTABLE = re.compile(rb"[\x20-\x7e\x80-\xff\r\n\t]{6,}")


def bytes_of(content: bytes) -> Iterator[bytes]:
    """The content, and what is packed in it: gzip, zip, the streams of a PDF, the texts of a PNG."""
    yield content
    if content.startswith(b"\x1f\x8b"):
        yield from bytes_of(_inflate(content, 31))
    elif content.startswith(b"PK\x03\x04"):
        for member in _members(content):
            yield from bytes_of(member)
    elif content.startswith(b"%PDF"):
        for match in _PDF_STREAM.finditer(content):
            if unpacked := _inflate(match[1], 15):
                yield unpacked
    elif content.startswith(_PNG):
        yield from _png_texts(content)


def text_of(content: bytes) -> str:
    """The text of some bytes, in the encoding they are in; of a picture or an archive, what can be read of it."""
    if content.startswith(_PNG):
        content = b"".join(data for kind, data in _chunks(content) if kind != b"IDAT")  # pixels say nothing
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    head = content[:400]
    if head and head.count(0) > len(head) // 3:
        return content.decode("utf-16-le" if head[1:2] == b"\0" else "utf-16-be", "replace")
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = b"\n".join(_PRINTABLE.findall(content)).decode("utf-8", "replace")
    # A PDF moves single letters: [(Dus)-20(t the)] TJ (ISO 32000-1, 9.4.3).
    return _KERNING.sub("", text) if " TJ" in text else text


def plain(text: str) -> str:
    """Entities, escapes and percent signs decoded until nothing changes; invisible signs removed."""
    for _ in range(_ROUNDS):
        before = text
        if "&" in text:
            text = html.unescape(text)
        if "%" in text:
            text = unquote(text, errors="replace")
        if "\\" in text:
            text = _ESCAPE.sub(lambda match: chr(int(match[1] or match[2], 16)), text).replace("\\/", "/")
            text = text.replace("\\n", "\n")
        if text == before:
            break
    return text if text.isascii() else _INVISIBLE.sub("", text)


def hidden(text: str) -> Iterator[bytes]:
    """What runs of base64 and of hexadecimal digits stand for, wherever in a run it begins."""
    for match in _BASE64.finditer(text):
        run = match[0].replace("\r", "").replace("\n", "").rstrip("=").replace("-", "+").replace("_", "/")
        if run == run.lower():
            continue  # a word or a path, and never base64 of that length
        for offset in range(4):
            piece = run[offset:]
            piece = piece[: len(piece) - (len(piece) % 4 == 1)]
            yield base64.b64decode(piece + "=" * (-len(piece) % 4))
    for match in _HEX.finditer(text):
        yield binascii.unhexlify(match[0])


def _inflate(content: bytes, window: int) -> bytes:
    try:
        return zlib.decompressobj(window).decompress(content, UNPACKED)
    except zlib.error:
        return b""


def _members(content: bytes) -> Iterator[bytes]:
    """The files of a zip archive, and their names as one of them."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            yield "\n".join(archive.namelist()).encode()
            left = UNPACKED
            for entry in archive.infolist():
                with archive.open(entry) as file:
                    unpacked = file.read(left)
                left -= len(unpacked)
                yield unpacked
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, zlib.error, EOFError):
        return


def _png_texts(content: bytes) -> Iterator[bytes]:
    """The packed text chunks of a PNG (https://www.w3.org/TR/png/#11textinfo)."""
    for kind, data in _chunks(content):
        if kind == b"zTXt":
            yield _inflate(data.partition(b"\0")[2][1:], 15)
        elif kind == b"iTXt":
            rest = data.partition(b"\0")[2]
            text = rest[2:].split(b"\0", 2)[-1]
            yield _inflate(text, 15) if rest[:1] == b"\1" else text


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The chunks of a PNG; what stands after the last one, or is none, has no kind."""
    place = len(_PNG)
    while place + 8 <= len(content):
        length, kind = struct.unpack(">I4s", content[place : place + 8])
        yield kind, content[place + 8 : place + 8 + length]
        place += 12 + length
        if kind == b"IEND":
            break
    yield b"", content[place:]
