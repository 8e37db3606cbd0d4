"""Notices by mail: SMTP with STARTTLS, or TLS from the first byte; plain text and HTML; one thread an incident."""

from __future__ import annotations

import logging
import smtplib
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from hashlib import sha256
from html import escape
from itertools import islice
from typing import ClassVar, Literal
from urllib.parse import quote

from msgspec.structs import replace

from nightowl.adapters.channels.smtp import Server, session
from nightowl.core.errors import DeliveryFailed
from nightowl.core.messages import Message, compose, cut
from nightowl.core.notice_template import write
from nightowl.core.redaction import hiding
from nightowl.core.values import Notice

log = logging.getLogger(__name__)

_REMEMBERED = 1000
"""Notices whose recipients so far are remembered at most."""

_SUBJECT = 500
"""Characters of a subject at most that a template made."""

_NOT_ASKED = (421, b"not asked, as the server hung up before")

_Refusals = Mapping[str, tuple[int, bytes]]
"""Envelope addresses that a server refused, each with its reply."""


@dataclass(kw_only=True, frozen=True, repr=False)
class Email:
    """Sends notices by one mail server.

    ``security``: ``starttls`` (never falls back to plain text), ``tls`` or ``none``. ``ca`` is PEM text (empty: the
    system's). ``template`` may have a ``subject`` and a ``body``. ``timeout`` is seconds for a whole delivery. A
    recipient whom the server refuses for now is tried again alone, as long as this process remembers who got the
    notice.
    """

    groups: ClassVar[bool] = True
    host: str
    port: int
    sender: str
    to: Sequence[str]
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str = ""
    password: str = ""
    verify: bool = True
    ca: str = ""
    template: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 10.0
    _reached: dict[str, set[str]] = field(default_factory=dict, init=False)

    def send(self, notice: Notice) -> str:
        """Deliver to all recipients, or raise ``DeliveryFailed``; permanent where nobody can be reached.

        Returns what went otherwise than meant (empty: nothing).
        """
        written, remark = write(self.template, notice)
        reached = self._reached.get(notice.key, set())
        waiting = [address for address in self.to if address not in reached]
        refused = self._transfer(waiting, mail(notice, self.sender, self.to, written))
        reached = {*reached, *(address for address in waiting if parseaddr(address)[1] not in refused)}
        later = {address: reply for address, reply in refused.items() if reply[0] < 500}
        if later:
            self._remember(notice.key, reached)
            raise DeliveryFailed(self._refusals(later))
        self._reached.pop(notice.key, None)
        if refused and not reached:
            raise DeliveryFailed(self._refusals(refused), permanent=True)
        if refused:
            log.warning("notice %s: %s; the other recipients got it", notice.key, self._refusals(refused))
        return remark

    def _transfer(self, to: Sequence[str], message: EmailMessage) -> _Refusals:
        """Hand the message over; return who was refused, with the server's reply."""
        envelope = [parseaddr(address)[1] for address in to]
        try:
            with session(self._server()) as smtp:
                if self.username:
                    smtp.login(self.username, self.password)
                return smtp.sendmail(parseaddr(self.sender)[1], envelope, message.as_bytes())
        except smtplib.SMTPRecipientsRefused as error:
            return {address: error.recipients.get(address, _NOT_ASKED) for address in envelope}
        except smtplib.SMTPResponseException as error:
            raise DeliveryFailed(
                f"{self.host} answered {self._said(error.smtp_code, error.smtp_error)}",
                permanent=error.smtp_code >= 500,
            ) from None
        except smtplib.SMTPNotSupportedError as error:
            raise DeliveryFailed(f"{self.host}: {error}", permanent=True) from None
        except ssl.SSLCertVerificationError as error:
            raise DeliveryFailed(f"the certificate of {self.host} is not trusted: {error.verify_message}") from None
        except TimeoutError:
            raise DeliveryFailed(f"no answer from {self.host} within {self.timeout:g} s") from None
        except OSError as error:
            raise DeliveryFailed(f"{self.host}: {error.strerror or error}") from None

    def _server(self) -> Server:
        return Server(
            host=self.host,
            port=self.port,
            security=self.security,
            verify=self.verify,
            ca=self.ca,
            timeout=self.timeout,
        )

    def _refusals(self, refused: _Refusals) -> str:
        return "; ".join(f"{address} refused: {self._said(*reply)}" for address, reply in refused.items())

    def _said(self, code: int, words: bytes | str) -> str:
        """A server's reply on one line; it may echo what it was told."""
        text = words.decode(errors="replace") if isinstance(words, bytes) else words
        return f"{code} {hiding([self.password])(' '.join(text.split()))}"[:200]

    def _remember(self, key: str, reached: set[str]) -> None:
        self._reached[key] = reached
        for oldest in list(islice(self._reached, max(0, len(self._reached) - _REMEMBERED))):
            del self._reached[oldest]


def mail(notice: Notice, sender: str, to: Sequence[str], by_template: Mapping[str, str]) -> EmailMessage:
    """Write the mail of a notice; the same notice always gives the same ``Message-ID``.

    Later notices of an incident refer to its firing one, so that mail programs show one thread. ``by_template`` has
    what a template made, for the subject, the body or both; a body of a template is plain text and nothing else.
    """
    message = compose(notice)
    first = replace(notice, step="firing")
    written = EmailMessage(policy=policy.SMTP)
    written["From"] = sender
    written["To"] = ", ".join(to)
    written["Subject"] = cut(" ".join(by_template.get("subject", "").split()), _SUBJECT) or message.heading
    written["Date"] = format_datetime(datetime.fromtimestamp(notice.created, UTC))
    written["Message-ID"] = _message_id(notice, sender)
    if notice.step not in ("firing", "test"):
        written["In-Reply-To"] = written["References"] = _message_id(first, sender)
    written["Auto-Submitted"] = "auto-generated"
    written["X-NightOwl-Key"] = quote(notice.key)
    written.set_content(f"{by_template.get('body') or message.text}\n", cte="quoted-printable")
    if not by_template.get("body"):
        written.add_alternative(_html(message), subtype="html", cte="quoted-printable")
    return written


def _message_id(notice: Notice, sender: str) -> str:
    domain = parseaddr(sender)[1].rpartition("@")[2] or "localhost"
    return f"<{sha256(notice.key.encode()).hexdigest()[:32]}.nightowl@{domain}>"


def _html(message: Message) -> str:
    rows = "".join(
        f"<tr><th align=left>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in message.facts
    )
    links = "".join(_link(name, url) for name, url in (("Runbook", message.runbook), ("Details", message.url)) if url)
    others = "".join(f"<li>{escape(line)}</li>" for line in message.others)
    also = f"<p>Also:</p><ul>{others}</ul>" if others else ""
    return (
        f"<html><body><h2>{escape(message.heading)}</h2><p>{escape(message.sentence)}</p>"
        f"{also}<table cellpadding=4>{rows}</table>{links}</body></html>\n"
    )


def _link(name: str, url: str) -> str:
    if not url.startswith(("http://", "https://")):
        return f"<p>{name}: {escape(url)}</p>"
    return f'<p>{name}: <a href="{escape(url)}">{escape(url)}</a></p>'
