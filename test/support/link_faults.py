"""The links between workers, from outside: which sockets they are, and faults that are done to them.

A link is an unnamed stream socket with an end in each of two workers.  The kernel says which end belongs to which (sock_diag), and
lends us a copy of a worker's descriptor (pidfd_getfd)."""
import contextlib
import ctypes
import os
import pathlib
import socket
import struct

import pytest

NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
NLM_F_DUMP_REQUEST = 0x301
NLMSG_DONE = 3
UDIAG_SHOW_PEER = 4
UNIX_DIAG_PEER = 2
HEAD = struct.Struct("=IHHII")
DIAG = struct.Struct("=BBBBIII")  # family, type, state, padding, inode, cookie
ATTRIBUTE = struct.Struct("=HH")
LIBC = ctypes.CDLL(None, use_errno=True)


def parse_diag(message):
    """(inode, type, inode of the other end or None) of one answer."""
    _, kind, _, _, inode, _, _ = DIAG.unpack_from(message)
    at = DIAG.size
    while at + ATTRIBUTE.size <= len(message):
        size, attribute = ATTRIBUTE.unpack_from(message, at)
        if attribute == UNIX_DIAG_PEER:
            return inode, kind, struct.unpack_from("=I", message, at + ATTRIBUTE.size)[0]
        at += (size + 3) & ~3
    return inode, kind, None


def list_streams():
    """Each connected stream socket of this machine's Unix sockets, by inode: the inode of the other end."""
    found = {}
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as diag:
        request = struct.pack("=BBHIIIII", socket.AF_UNIX, 0, 0, 0xFFFFFFFF, 0, UDIAG_SHOW_PEER, 0, 0)
        diag.send(HEAD.pack(HEAD.size + len(request), SOCK_DIAG_BY_FAMILY, NLM_F_DUMP_REQUEST, 1, 0) + request)
        while True:
            data = diag.recv(1 << 18)
            at = 0
            while at < len(data):
                size, kind, _, _, _ = HEAD.unpack_from(data, at)
                if kind == NLMSG_DONE:
                    return found
                inode, sort, other = parse_diag(data[at + HEAD.size:at + size])
                if sort == socket.SOCK_STREAM and other is not None:
                    found[inode] = other
                at += (size + 3) & ~3


def list_sockets(pid):
    """The descriptors of a process that are sockets, by inode."""
    found = {}
    for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            target = os.readlink(entry)
            if target.startswith("socket:["):
                found[int(target[len("socket:["):-1])] = int(entry.name)
    return found


def find_links(pid, other):
    """The descriptors of the process pid that lead to the process other."""
    peers = list_streams()
    theirs = list_sockets(other)
    return [fd for inode, fd in list_sockets(pid).items() if peers.get(inode) in theirs]


@contextlib.contextmanager
def borrow(pid, fd):
    """A copy of a descriptor of another process, as a socket; None: it is gone meanwhile."""
    pidfd = os.pidfd_open(pid)
    try:
        copy = LIBC.pidfd_getfd(pidfd, fd, 0)
    finally:
        os.close(pidfd)
    if copy < 0 and os.geteuid() != 0:
        pytest.skip("only root may take copies of a worker's descriptors")
    if copy < 0:
        yield None
        return
    with socket.socket(fileno=copy) as sock:
        yield sock


def reset_links(pid, other):
    """Breaks the links between two processes, both ways; returns how many."""
    count = 0
    for fd in find_links(pid, other):
        with borrow(pid, fd) as sock:
            if sock is not None:
                with contextlib.suppress(OSError):  # the other end has closed meanwhile
                    sock.shutdown(socket.SHUT_RDWR)
                    count += 1
    return count


def write_to_links(pid, other, data):
    """Bytes that the other process reads from its link to pid; returns how many were written."""
    written = 0
    for fd in find_links(pid, other):
        with borrow(pid, fd) as sock:
            written += sock.send(data) if sock is not None else 0
    return written
