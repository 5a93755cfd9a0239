"""DOCX and PPTX files from a seed: everything that stands between, around and instead of texts in real ones."""

from __future__ import annotations

import base64
import io
import random
from collections.abc import Callable
from xml.sax.saxutils import escape

from tests.generated_drawings import Additions, drawings, put
from tests.generated_texts import kept, words

_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
NAMES = (
    f'xmlns:w="{_W}" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" '
    'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math" '
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
    'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape" '
    'xmlns:v="urn:schemas-microsoft-com:vml"'
)
_PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
_FORMATS = (
    "",
    "<w:rPr><w:b/></w:rPr>",
    '<w:rPr><w:i/><w:lang w:val="en-US"/></w:rPr>',
    '<w:rPr><w:color w:val="FF0000"/><w:sz w:val="28"/></w:rPr>',
    '<w:rPr><w:rtl/><w:lang w:bidi="ar-SA"/></w:rPr>',
    "<w:rPr><w:noProof/></w:rPr>",
)
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_A = "http://schemas.openxmlformats.org/drawingml/2006/main"
_P = "http://schemas.openxmlformats.org/presentationml/2006/main"
_COMMENTS = "application/vnd.openxmlformats-officedocument.presentationml.comments+xml"
_FIELD = "{00000000-0000-0000-0000-000000000001}"


class _Writer:
    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.number = 0

    def run(self, text: str = "") -> str:
        shown = escape(text or words(self.chance, 4))
        return f'<w:r>{self.chance.choice(_FORMATS)}<w:t xml:space="preserve">{shown} </w:t></w:r>'

    def field(self, instruction: str, result: str) -> str:
        mark = '<w:r><w:fldChar w:fldCharType="{}"/></w:r>'
        said = f'<w:r><w:instrText xml:space="preserve"> {instruction} </w:instrText></w:r>'
        return mark.format("begin") + said + mark.format("separate") + result + mark.format("end")

    def box(self) -> str:
        inner = f"<w:txbxContent>{self.paragraph(1)}</w:txbxContent>"
        return (
            f'<w:r><mc:AlternateContent><mc:Choice Requires="wps"><w:drawing><wps:txbx>{inner}</wps:txbx></w:drawing>'
            f"</mc:Choice><mc:Fallback><w:pict><v:textbox>{inner}</v:textbox></w:pict></mc:Fallback>"
            "</mc:AlternateContent></w:r>"
        )

    def special(self, depth: int) -> str:
        self.number += 1
        n, hidden = self.number, escape(kept(self.chance))
        author = f'w:id="{n}" w:author="A" w:date="2026-01-01T00:00:00Z"'
        makers: tuple[Callable[[], str], ...] = (
            lambda: f'<w:hyperlink w:anchor="here" w:history="1">{self.run()}{self.run()}</w:hyperlink>',
            lambda: f'<w:bookmarkStart w:id="{n}" w:name="b{n}"/>{self.run()}<w:bookmarkEnd w:id="{n}"/>',
            lambda: self.field("PAGE", f"<w:r><w:t>{hidden}</w:t></w:r>"),
            lambda: self.field('HYPERLINK "https://example.org"', self.run()),
            lambda: self.field("REF b1", self.field("DATE", self.run(kept(self.chance))) + self.run(kept(self.chance))),
            lambda: f'<w:fldSimple w:instr=" NUMPAGES ">{self.run(kept(self.chance))}</w:fldSimple>',
            lambda: f"<w:ins {author}>{self.run()}</w:ins>",
            lambda: f"<w:del {author}><w:r><w:delText>{hidden}</w:delText></w:r></w:del>",
            lambda: f"<m:oMath><m:r><m:t>{hidden}</m:t></m:r></m:oMath>",
            lambda: "<w:r><w:tab/><w:t>after a tab</w:t><w:br/><w:t>and a break</w:t></w:r>",
            lambda: (
                f"<w:sdt><w:sdtPr><w:alias w:val='{n}'/></w:sdtPr><w:sdtContent>{self.run()}</w:sdtContent></w:sdt>"
            ),
            lambda: '<w:proofErr w:type="spellStart"/>' + self.run() + '<w:proofErr w:type="spellEnd"/>',
            lambda: '<w:r><w:footnoteReference w:id="2"/></w:r>',
            lambda: self.box() if depth == 0 else self.run(),
        )
        return self.chance.choice(makers)()

    def paragraph(self, depth: int = 0) -> str:
        count = self.chance.randint(1, 5)
        parts = [self.special(depth) if self.chance.random() < 0.4 else self.run() for _ in range(count)]
        numbered = '<w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr>'
        style = self.chance.choice(("", numbered, '<w:pStyle w:val="Heading1"/>', "<w:bidi/>"))
        return f"<w:p><w:pPr>{style}</w:pPr>{''.join(parts)}</w:p>"


def docx(seed: int) -> bytes:
    """A document."""
    import docx as library
    from docx.oxml import parse_xml

    made, document = _Writer(seed), library.Document()
    document.add_heading(words(made.chance), level=made.chance.randint(1, 3))
    document.add_picture(io.BytesIO(_PICTURE))
    described, name = words(made.chance), f"§{made.chance.randint(0, 9)}§.png"
    for one in document.element.body.iter("{*}docPr", "{*}cNvPr"):
        one.set("descr", described)
    document.add_picture(io.BytesIO(_PICTURE))
    next(one for one in document.element.body.iter("{*}docPr") if not one.get("descr")).set("descr", name)
    document.add_paragraph(words(made.chance), style="List Bullet")
    section = document.sections[0]
    section.header.paragraphs[0].text = words(made.chance)
    section.footer.paragraphs[0].text = words(made.chance)
    table = document.add_table(rows=2, cols=2)
    for cell in table._cells:
        cell._tc.append(parse_xml(made.paragraph().replace("<w:p>", f"<w:p {NAMES}>", 1)))
    table.cell(0, 0).add_table(1, 1).cell(0, 0).text = words(made.chance)
    link = document.part.relate_to("https://example.org/?a=1&b=2", f"{_RELATIONS}/hyperlink", is_external=True)
    body = document.element.body
    for _ in range(made.chance.randint(1, 6)):
        body.insert(len(body) - 1, parse_xml(made.paragraph().replace("<w:p>", f"<w:p {NAMES}>", 1)))
    outside = f'<w:p {NAMES}><w:hyperlink r:id="{link}">{made.run()}</w:hyperlink></w:p>'
    body.insert(len(body) - 1, parse_xml(outside))
    file = io.BytesIO()
    document.save(file)
    return _with_parts(file.getvalue(), made)


def _with_parts(data: bytes, made: _Writer) -> bytes:
    """Footnotes, endnotes, comments, a chart and a diagram."""
    added, main = Additions(), "word/document.xml"
    media = "application/vnd.openxmlformats-officedocument.wordprocessingml.{}+xml"
    author = 'w:author="A" w:date="2026-01-01T00:00:00Z"'
    for name, one, more in (
        ("footnotes", "footnote", ""),
        ("endnotes", "endnote", ""),
        ("comments", "comment", author),
    ):
        inner = f'<w:{one} w:id="2" {more}>{made.paragraph(1)}</w:{one}>'
        content = f"<w:{name} {NAMES}>{inner}</w:{name}>"
        added.add(main, f"word/{name}.xml", name, media.format(name), content)
    drawings(made.chance, added, main, 1)
    return put(data, added)


def pptx(seed: int) -> bytes:
    """Slides with titles, formatted runs, a table, a group, a picture, a field and notes."""
    import pptx as library
    from lxml import etree
    from pptx.util import Inches

    chance, slides = random.Random(seed), library.Presentation()
    inches = [Inches(number) for number in range(1, 5)]
    for _ in range(chance.randint(1, 3)):
        slide = slides.slides.add_slide(slides.slide_layouts[1])
        slide.shapes.title.text = words(chance)
        paragraph = slide.placeholders[1].text_frame.paragraphs[0]
        for _ in range(chance.randint(1, 4)):
            run = paragraph.add_run()
            run.text, run.font.bold = words(chance, 3) + " ", chance.choice((True, None))
            if chance.random() < 0.3:
                run.hyperlink.address = "https://example.org/?a=1&b=2"
        paragraph.add_line_break()
        paragraph.add_run().text = words(chance)
        field = f'<a:fld xmlns:a="{_A}" id="{_FIELD}" type="slidenum"><a:t>{kept(chance)}</a:t></a:fld>'
        paragraph._p.append(etree.fromstring(field))
        slide.shapes.add_picture(io.BytesIO(_PICTURE), *inches[:2])  # its description is the name of its file
        described = slide.shapes.add_picture(io.BytesIO(_PICTURE), *inches[:2])
        described._element.nvPicPr.cNvPr.set("descr", words(chance))
        table = slide.shapes.add_table(1, 2, *inches).table
        table.cell(0, 0).text = words(chance)
        group = slide.shapes.add_group_shape()
        group.shapes.add_textbox(*inches).text_frame.text = words(chance)
        slide.notes_slide.notes_text_frame.text = words(chance)
    file = io.BytesIO()
    slides.save(file)
    added = Additions()
    for number in range(1, len(slides.slides) + 1):
        host = f"ppt/slides/slide{number}.xml"
        drawings(chance, added, host, number)
        content = (
            f'<p:cmLst xmlns:p="{_P}"><p:cm authorId="0"><p:text>{escape(words(chance))}</p:text></p:cm></p:cmLst>'
        )
        added.add(host, f"ppt/comments/comment{number}.xml", "comments", _COMMENTS, content)
    return put(file.getvalue(), added)
