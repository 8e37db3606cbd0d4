"""A small name server on loopback, by UDP and TCP, one behaviour a name."""

import socket
import struct
import threading
from contextlib import suppress

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

ZONE = {
    ("shop.example.", "A"): ["192.0.2.1", "192.0.2.2"],
    ("shop.example.", "AAAA"): ["2001:db8::1"],
    ("shop.example.", "MX"): ["10 mail.shop.example."],
    ("shop.example.", "TXT"): ['"v=spf1 " "-all"'],
    ("shop.example.", "CAA"): ['0 issue "letsencrypt.org"'],
    ("_sip._tcp.shop.example.", "SRV"): ["0 5 5060 sip.shop.example."],
    ("www.shop.example.", "CNAME"): ["shop.example."],
    ("1.2.0.192.in-addr.arpa.", "PTR"): ["shop.example."],
    ("large.example.", "TXT"): [f'"{"x" * 200} {number}"' for number in range(30)],
    ("cut.example.", "TXT"): ['"cut"'],
}


class NameServer:
    """Answers from ``ZONE`` until it is closed; ``asked`` counts questions by transport."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._tcp = socket.create_server(("127.0.0.1", 0))
        self.port = self._tcp.getsockname()[1]
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", self.port))
        for serve in (self._serve_udp, self._serve_tcp):
            threading.Thread(target=serve, daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def close(self) -> None:
        for listener in (self._tcp, self._udp):
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def _serve_udp(self) -> None:
        with suppress(OSError):
            while True:
                wire, peer = self._udp.recvfrom(4096)
                if not wire:  # it was closed
                    return
                self.asked.append("udp")
                query = dns.message.from_wire(wire)
                times = 5000 if query.question[0].name.labels[0] == b"flood" else 1
                for answer in self._answers(query, "udp") * times:
                    self._udp.sendto(answer, peer)

    def _serve_tcp(self) -> None:
        with suppress(OSError):
            while True:
                peer, _ = self._tcp.accept()
                threading.Thread(target=self._talk, args=(peer,), daemon=True).start()

    def _talk(self, peer: socket.socket) -> None:
        with suppress(OSError), peer:
            size = struct.unpack("!H", peer.recv(2))[0]
            self.asked.append("tcp")
            query = dns.message.from_wire(peer.recv(size))
            if query.question[0].name.labels[0] == b"stalled":
                peer.sendall(b"\xff\xff and then nothing")
                peer.recv(1)  # until the probe hangs up
            for answer in self._answers(query, "tcp"):
                peer.sendall(struct.pack("!H", len(answer)) + answer)

    def _answers(self, query: dns.message.Message, transport: str) -> list[bytes]:
        behaviour = query.question[0].name.labels[0].decode()
        answer = self._answer(query, transport)
        match behaviour:
            case "silent":
                return []
            case "garbage":
                return [b"no message at all"]
            case "stranger" | "flood":
                answer.id ^= 1
            case "doubled":
                return [b"noise", answer.to_wire()]
            case "cut" if transport == "tcp":
                return []
            case "mixed" if transport == "tcp":
                return [b"noise"]
        return [answer.to_wire(max_size=65535)]

    def _answer(self, query: dns.message.Message, transport: str) -> dns.message.Message:
        question = query.question[0]
        answer = dns.message.make_response(query, recursion_available=True)
        name, kind = question.name, dns.rdatatype.to_text(question.rdtype)
        if name.labels[0] in (b"large", b"cut", b"mixed", b"stalled") and transport == "udp":
            answer.flags |= dns.flags.TC
            return answer
        alias = ZONE.get((str(name), "CNAME"))
        if alias and kind != "CNAME":
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", "CNAME", *alias))
            name = dns.name.from_text(alias[0])
        known = {where for where, _ in ZONE}
        if (str(name), kind) in ZONE:
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", kind, *ZONE[str(name), kind]))
        elif name.labels[0] == b"broken":
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif name.labels[0] == b"refused":
            answer.set_rcode(dns.rcode.REFUSED)
        elif str(name) not in known:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer
