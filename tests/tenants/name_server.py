"""A real name server on 127.0.0.1: TXT records and addresses over UDP, and the ways in which name servers fail."""

import socket
import threading
from collections.abc import Iterable
from typing import Self

import dns.flags
import dns.message
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset


class NameServer:
    """`records` maps a name to its TXT values, `addresses` to its IP addresses; `rcode` is what every
    answer says, None says nothing.
    """

    def __init__(self) -> None:
        self.records: dict[str, list[str]] = {}
        self.addresses: dict[str, list[str]] = {}
        self.aliases: dict[str, str] = {}
        self.rcode: dns.rcode.Rcode | None = dns.rcode.NOERROR
        self.asked: list[str] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._socket.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # An empty packet to itself: it stops.
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"", self._socket.getsockname())
        self._thread.join(5)
        self._socket.close()

    def says(self, name: str, values: Iterable[str]) -> None:
        self.records[name] = list(values)

    def _serve(self) -> None:
        while True:
            wire, asker = self._socket.recvfrom(4096)
            if not wire:
                return
            question = dns.message.from_wire(wire)
            self.asked.append(question.question[0].name.to_text(omit_final_dot=True))
            if self.rcode is not None:
                self._socket.sendto(self._answer(question).to_wire(), asker)

    def _answer(self, question: dns.message.Message) -> dns.message.Message:
        answer = dns.message.make_response(question)
        answer.flags |= dns.flags.RA
        answer.set_rcode(self.rcode or dns.rcode.NOERROR)
        if self.rcode != dns.rcode.NOERROR:
            return answer
        name = self.asked[-1]
        if name in self.aliases:
            target = self.aliases[name]
            answer.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", "CNAME", f"{target}."))
            name = target
        if name in self.addresses:
            self._add_addresses(answer, name)
        elif name not in self.records:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif self.records[name]:
            values = [_quoted(value) for value in self.records[name]]
            answer.answer.append(dns.rrset.from_text_list(f"{name}.", 60, "IN", "TXT", values))
        return answer

    def _add_addresses(self, answer: dns.message.Message, name: str) -> None:
        kind = answer.question[0].rdtype
        is_six = kind == dns.rdatatype.AAAA
        found = [each for each in self.addresses[name] if (":" in each) == is_six]
        if found and kind in {dns.rdatatype.A, dns.rdatatype.AAAA}:
            word = dns.rdatatype.to_text(kind)
            answer.answer.append(dns.rrset.from_text_list(f"{name}.", 60, "IN", word, found))


def _quoted(value: str) -> str:
    """A TXT record holds strings of at most 255 bytes; a longer value is several."""
    parts = [value[at : at + 20] for at in range(0, len(value), 20)]
    return " ".join(f'"{part}"' for part in parts)
