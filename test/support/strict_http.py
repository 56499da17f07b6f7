"""HTTP/1 requests read as strictly as RFC 9112 allows, to compare with what a server took for one."""
import re

TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
LINE = re.compile(rb"(%s) ([!-~\x80-\xff]+) HTTP/1\.([01])" % TOKEN)
FIELD = re.compile(rb"(%s):[ \t]*([\t -~\x80-\xff]*?)[ \t]*" % TOKEN)


class Malformed(Exception):
    pass


def read_fields(lines):
    fields = {}
    for line in lines:
        match = FIELD.fullmatch(line)
        if match is None:
            raise Malformed(line)
        fields.setdefault(match[1].lower(), []).append(match[2])
    return fields


def read_length(fields, minor):
    """The number of bytes of the body; None for chunks."""
    lengths, codings = fields.get(b"content-length", []), fields.get(b"transfer-encoding", [])
    if len(lengths) + len(codings) > 1 or (codings and minor == 0):
        raise Malformed("framing")
    if codings:
        if codings[0].lower() != b"chunked":
            raise Malformed("coding")
        return None
    if lengths and not re.fullmatch(rb"[0-9]+", lengths[0]):
        raise Malformed("length")
    return int(lengths[0]) if lengths else 0


def read_requests(data):
    """[(method, target, length)] of complete, well-formed requests from the start; behind one in chunks (length None), or that ends
    its connection, nothing follows."""
    found = []
    while data:
        data = data.removeprefix(b"\r\n")
        head, end, rest = data.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        match = LINE.fullmatch(lines[0])
        try:
            if not end or match is None:
                break
            fields = read_fields(lines[1:])
            minor = int(match[3])
            length = read_length(fields, minor)
            if len(fields.get(b"host", [])) > 1 or (minor == 1 and b"host" not in fields):
                break
        except Malformed:
            break
        if length is not None and len(rest) < length:
            break
        found.append((match[1], match[2], length))
        if length is None:
            break
        data = rest[length:]
    return found
