"""XML as a stream of elements: no document type, no entity of its own, nothing outside the file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Protocol, TypeVar
from xml.parsers import expat

_BLOCK_BYTES = 1 << 16

Item = TypeVar("Item")


class DocumentTypeFound(ValueError):
    """The XML has a document type declaration: the door to entity bombs and outside files."""


class Handler(Protocol[Item]):
    """What is told of the elements of a document, and collects items from them."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Meet the start of an element; names without their namespace."""

    def end(self, name: str) -> None:
        """Meet the end of an element."""

    def text(self, data: str) -> None:
        """Meet text."""

    def take(self) -> list[Item]:
        """Give the items collected since the last call."""


def stream(handle: IO[bytes], handler: Handler[Item]) -> Iterator[Item]:
    """Parse a document block by block and give the handler's items as they come.

    Attributes of foreign namespaces keep a leading ``+``, so that they are not mistaken for their namesakes.

    Raises:
        DocumentTypeFound: There is a document type declaration.
        xml.parsers.expat.ExpatError: The XML is damaged.
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    elements, keys = _Elements(), _Keys()

    def start(name: str, attributes: dict[str, str]) -> None:
        handler.start(elements[name], {keys[key]: value for key, value in attributes.items()})

    def end(name: str) -> None:
        handler.end(elements[name])

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = handler.text
    parser.StartDoctypeDeclHandler = _refuse_document_type
    while block := handle.read(_BLOCK_BYTES):
        parser.Parse(block, False)
        yield from handler.take()
    parser.Parse(b"", True)
    yield from handler.take()


class _Elements(dict[str, str]):
    """Names of elements without their namespace, found once each."""

    def __missing__(self, name: str) -> str:
        self[name] = name.rpartition(" ")[2]
        return self[name]


class _Keys(dict[str, str]):
    """Names of attributes without their namespace; those of extensions marked."""

    def __missing__(self, key: str) -> str:
        space, _, name = key.rpartition(" ")
        self[key] = f"+{name}" if "calcext" in space else name
        return self[key]


def _refuse_document_type(*_: object) -> None:
    raise DocumentTypeFound
