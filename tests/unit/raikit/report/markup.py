"""Reads a page as a strict reader would: what is open is closed, in order."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "img", "input", "br"}


@dataclass
class Element:
    name: str
    attributes: dict[str, str | None]
    text: str = ""


@dataclass
class Page(HTMLParser):
    """All elements of a page; fails where it is not well formed."""

    elements: list[Element] = field(default_factory=list)
    stack: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag, attrs) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> has an attribute twice: {names}"
        element = Element(tag, dict(attrs))
        self.elements.append(element)
        if tag not in VOID:
            self.stack.append(element)

    def handle_startendtag(self, tag, attrs) -> None:
        self.elements.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag) -> None:
        assert self.stack, f"</{tag}> ends nothing"
        last = self.stack.pop()
        assert last.name == tag, f"</{tag}> ends <{last.name}> {last.attributes}"

    def handle_data(self, data) -> None:
        if self.stack:
            self.stack[-1].text += data

    def named(self, name: str) -> list[Element]:
        return [each for each in self.elements if each.name == name]


def read(html: str) -> Page:
    page = Page()
    page.feed(html)
    page.close()
    assert not page.stack, f"never closed: {[each.name for each in page.stack]}"
    return page
