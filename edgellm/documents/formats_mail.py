"""E-mail messages (EML): who wrote to whom, about what, and the words. Attachments are named, not read."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage

from edgellm.documents.document import Block, Page, block
from edgellm.documents.formats_markup import html_blocks
from edgellm.documents.formats_text import paragraphs
from edgellm.documents.source import Draft, Source
from edgellm.errors import DocumentDamaged


def message(source: Source) -> Draft:
    """The subject as a heading, the people and the date, then the text."""
    try:
        mail = email.message_from_bytes(source.data, policy=email.policy.default)
        subject = str(mail.get("subject", ""))
        people = [f"{name}: {value}" for name in ("From", "To", "Cc", "Date") if (value := mail.get(name))]
        body = _body(mail)
        attached = [part.get_filename() or part.get_content_type() for part in mail.iter_attachments()]
    except (LookupError, ValueError, AttributeError, TypeError) as error:
        # What the standard library raises on headers and encodings that do not exist.
        raise DocumentDamaged(source.name, "it is no message that follows the rules", "Export it again.") from error
    head = (block("heading", subject, 1), block("paragraph", "\n".join(people)))
    notes = (f"Attachments were not read: {', '.join(attached)}.",) if attached else ()
    return Draft((Page(0, (*(found for found in head if found), *body)),), subject, notes)


def _body(mail: EmailMessage) -> tuple[Block, ...]:
    part = mail.get_body(("plain", "html"))
    if part is None:
        return ()
    text = str(part.get_content())
    return html_blocks(text) if part.get_content_type() == "text/html" else paragraphs(text.replace("\r\n", "\n"))
