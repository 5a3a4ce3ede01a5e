"""Ways in which something private ends up in a file without looking like itself."""

import base64
import io
import re
import zipfile
import zlib


def zipped(name: str, content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return file.getvalue()


def png(text: str, *, compressed: bool) -> bytes:
    data = b"Comment\0\0" + zlib.compress(text.encode()) if compressed else b"Comment\0\0\0\0\0" + text.encode()
    kind = b"zTXt" if compressed else b"iTXt"
    return b"\x89PNG\r\n\x1a\n" + len(data).to_bytes(4, "big") + kind + data + b"\0\0\0\0"


def pdf(text: str, *, kerned: bool = False) -> bytes:
    shown = ")-20(".join(re.findall(r".{1,7}", text)) if kerned else text
    stream = zlib.compress(f"BT [({shown})] TJ ET".encode())
    return b"%PDF-1.7\n1 0 obj <</Filter/FlateDecode>> stream\n" + stream + b"\nendstream endobj"


def wrapped_base64(text: str) -> str:
    return base64.encodebytes(text.encode()).decode()


def percent(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


def entities(text: str) -> str:
    return "".join(f"&#{ord(letter)};" for letter in text)
