"""Charts, diagrams and comments for generated Office files, with the relations that lead to them."""

from __future__ import annotations

import io
import random
import zipfile
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from tests.document_files import changed
from tests.generated_texts import kept, words

_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006"
_A = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
_C = f'xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart" {_A}'
_DGM = f'xmlns:dgm="http://schemas.openxmlformats.org/drawingml/2006/diagram" {_A}'
_DSP = f'xmlns:dsp="http://schemas.microsoft.com/office/drawing/2008/diagram" {_A}'
_DRAWING_RELATION = "http://schemas.microsoft.com/office/2007/relationships/diagramDrawing"
_TYPES = {
    "chart": "application/vnd.openxmlformats-officedocument.drawingml.chart+xml",
    "data": "application/vnd.openxmlformats-officedocument.drawingml.diagramData+xml",
    "drawing": "application/vnd.ms-office.drawingml.diagramDrawing+xml",
}


@dataclass
class Additions:
    """Parts to be added to a package: name -> content; and relations and types that go with them."""

    parts: dict[str, str] = field(default_factory=dict)
    relations: dict[str, list[str]] = field(default_factory=dict)
    types: list[str] = field(default_factory=list)

    def add(self, host: str, name: str, kind: str, media: str, content: str) -> None:
        """A part that `host` points to. `kind` is the type of the relation, whole or its last word."""
        self.parts[name] = content
        whole = kind if "/" in kind else f"{_OFFICE}/relationships/{kind}"
        one = f'<Relationship Id="rX{len(self.parts)}" Type="{whole}" Target="/{name}"/>'
        self.relations.setdefault(host, []).append(one)
        self.types.append(f'<Override PartName="/{name}" ContentType="{media}"/>')


def put(data: bytes, added: Additions) -> bytes:
    """The package with these parts."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        new: dict[str, str] = dict(added.parts)
        types = archive.read("[Content_Types].xml").decode()
        new["[Content_Types].xml"] = types.replace("</Types>", "".join(added.types) + "</Types>")
        for host, relations in added.relations.items():
            folder, _, base = host.rpartition("/")
            name = f"{folder}/_rels/{base}.rels"
            old = archive.read(name).decode()
            new[name] = old.replace("</Relationships>", "".join(relations) + "</Relationships>")
    return changed(data, new)


def drawings(chance: random.Random, added: Additions, host: str, number: int) -> None:
    """A chart and a diagram for a part."""
    top = host.partition("/")[0]
    added.add(host, f"{top}/charts/chartX{number}.xml", "chart", _TYPES["chart"], _chart(chance))
    said = [[words(chance, 2) for _ in range(chance.randint(1, 2))] for _ in range(3)]
    for name, kind, space in (("data", "diagramData", _DGM), ("drawing", _DRAWING_RELATION, _DSP)):
        content = _diagram(said if name == "data" else said[::-1], space)
        added.add(host, f"{top}/diagrams/{name}{number}.xml", kind, _TYPES[name], content)


def _runs(texts: list[str]) -> str:
    run = '<a:r><a:rPr lang="en-US" b="{}"/><a:t>{} </a:t></a:r>'
    made = (run.format(number % 2, escape(text)) for number, text in enumerate(texts))
    return f"<a:p>{''.join(made)}<a:endParaRPr/></a:p>"


def _chart(chance: random.Random) -> str:
    title = f"<c:title><c:tx><c:rich><a:bodyPr/>{_runs([words(chance), words(chance)])}</c:rich></c:tx></c:title>"
    cache = f'<c:strCache><c:ptCount val="1"/><c:pt idx="0"><c:v>{escape(kept(chance))}</c:v></c:pt></c:strCache>'
    literal = f'<c:strLit><c:ptCount val="1"/><c:pt idx="0"><c:v>{escape(words(chance))}</c:v></c:pt></c:strLit>'
    axis = f"<c:valAx><c:txPr><a:bodyPr/><a:p><a:pPr/><a:endParaRPr/></a:p></c:txPr>{title}</c:valAx>"
    own = f"<c:ser><c:tx><c:v>{escape(words(chance))}</c:v></c:tx><c:cat>{literal}</c:cat></c:ser>"
    linked = f"<c:ser><c:tx><c:strRef><c:f>Sheet1!$B$1</c:f>{cache}</c:strRef></c:tx></c:ser>"
    plot = f"<c:plotArea><c:barChart>{own}{linked}</c:barChart>{axis}</c:plotArea>"
    return f"<c:chartSpace {_C}><c:chart>{title}{plot}</c:chart></c:chartSpace>"


def _diagram(said: list[list[str]], space: str) -> str:
    if space == _DGM:
        point = '<dgm:pt modelId="{}"><dgm:t><a:bodyPr/>{}</dgm:t></dgm:pt>'
        points = "".join(point.format(number, _runs(one)) for number, one in enumerate(said))
        return f"<dgm:dataModel {space}><dgm:ptLst>{points}</dgm:ptLst></dgm:dataModel>"
    shapes = "".join(f"<dsp:sp><dsp:txBody><a:bodyPr/>{_runs(one)}</dsp:txBody></dsp:sp>" for one in said)
    return f"<dsp:drawing {space}><dsp:spTree>{shapes}</dsp:spTree></dsp:drawing>"
