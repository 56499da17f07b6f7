"""The same as long_calls.py for what fsd.crypto, fsd.jwt, fsd.fs and fsd.process do: how long they hold a worker's loop.
usage: toolbox_calls.py [ROUNDS [NAME]]  (default 5, all)"""
import pathlib

import long_calls

KEYS = pathlib.Path(__file__).resolve().parents[2] / "lua/keys"
JWT = f"kept = fsd.jwt.key{{ alg = 'RS256', private = [==[\n{(KEYS / 'rsa.pem').read_text()}]==] }}"
DATA = "kept = ('0123456789abcdef'):rep(1024 * 1024 * 4 - 1) collectgarbage()"  # 64 MiB is what a string may have
FILE = DATA + " fsd.fs.write('/tmp/fsd-toolbox-calls', kept)"

# As those of long_calls.py.
CALLS = [
    ("nothing", "", "return 204", b"", {}),
    ("crypto.hash sha256, 64 MB", DATA, "fsd.crypto.hash('sha256', kept) return 204", b"", {}),
    ("crypto.hash sha512, 64 MB", DATA, "fsd.crypto.hash('sha512', kept) return 204", b"", {}),
    ("crypto.hmac sha256, 64 MB", DATA, "fsd.crypto.hmac('sha256', 'key', kept) return 204", b"", {}),
    ("base64 there and back, 10 MB", "kept = ('x'):rep(10000000)", "fsd.base64.decode(fsd.base64.encode(kept)) return 204", b"", {}),
    ("hex there and back, 10 MB", "kept = ('x'):rep(10000000)", "fsd.hex.decode(fsd.hex.encode(kept)) return 204", b"", {}),
    ("password_hash, argon2id", "", "fsd.crypto.password_hash('secret') return 204", b"", {}),
    ("password_hash, argon2id, 256 MB", "", "fsd.crypto.password_hash('secret', { ops = 3, memory = 268435456 }) return 204", b"", {}),
    ("seal and open, 4 MB", "kept = ('x'):rep(4000000)", "local k = ('k'):rep(32) fsd.crypto.open(fsd.crypto.seal(kept, k), k) return 204", b"", {}),
    ("jwt.sign RS256, ten", JWT, "for _ = 1, 10 do fsd.jwt.sign({ sub = '42' }, kept) end return 204", b"", {}),
    ("jwt.verify RS256, ten", JWT, "local t = fsd.jwt.sign({}, kept) for _ = 1, 10 do fsd.jwt.verify(t, kept) end return 204", b"", {}),
    ("fs.write, 64 MB, atomic and synced", DATA, "fsd.fs.write('/tmp/fsd-toolbox-calls', kept) return 204", b"", {}),
    ("fs.read, 10 MB", "fsd.fs.write('/tmp/fsd-toolbox-calls', ('x'):rep(10000000))", "fsd.fs.read('/tmp/fsd-toolbox-calls') return 204", b"", {}),
    ("fs.chunks, 64 MB", FILE, "for _ in fsd.fs.chunks('/tmp/fsd-toolbox-calls') do end return 204", b"", {}),
    ("fs.copy, 64 MB", FILE, "fsd.fs.copy('/tmp/fsd-toolbox-calls', '/tmp/fsd-toolbox-copy') return 204", b"", {}),
    ("process.run, 10 MB in and out", "kept = ('x'):rep(10000000)", "fsd.process.run{ 'cat', stdin = kept, max_output = 20000000 } return 204", b"", {}),
    ("process.run, twenty", "", "for _ = 1, 20 do fsd.process.run{ 'true' } end return 204", b"", {}),
]

if __name__ == "__main__":
    try:
        long_calls.main(CALLS)
    finally:
        for path in pathlib.Path("/tmp").glob("fsd-toolbox-*"):
            path.unlink()
