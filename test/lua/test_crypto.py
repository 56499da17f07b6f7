"""fsd.crypto, fsd.base64, fsd.hex: against Python's own."""
import hashlib
import hmac
import json
import os
import pathlib
import signal

import pytest

from fsd_process import wait_for
from handler_rows import app_of, names

HEAD = '''
local crypto, base64, hex = fsd.crypto, fsd.base64, fsd.hex
local CHEAP = { ops = 1, memory = 8192 }
local function failure(...) local _, err = fsd.try(...) return err end
local function mistake(...) local ok, err = pcall(...) assert(not ok) return tostring(err) end
'''

HASHES = {"md5": "md5", "sha1": "sha1", "sha224": "sha224", "sha256": "sha256", "sha384": "sha384", "sha512": "sha512",
          "sha512-256": "sha512_256", "sha3-256": "sha3_256", "sha3-384": "sha3_384", "sha3-512": "sha3_512", "blake2b512": "blake2b",
          "blake2s256": "blake2s"}

# name, body: it must return true
ROWS = [
    ("results-come-in-the-encoding-that-is-asked-for", '''
        local raw = crypto.hash("sha256", "abc", "raw")
        return #raw == 32 and hex.encode(raw) == crypto.hash("sha256", "abc") and base64.encode(raw) == crypto.hash("sha256", "abc", "base64")
          and base64.encode_url(raw) == crypto.hash("sha256", "abc", "base64url")'''),
    ("the-empty-key-is-a-key", '''
        local one = crypto.hmac("sha256", "key", "")
        return crypto.hmac("sha256", "", "") == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"
          and one == crypto.hmac("sha256", "key", "")'''),
    ("an-unknown-hash-is-a-mistake-with-a-hint", '''
        return mistake(crypto.hash, "sha-256", "x"):find('unknown hash "sha-256"; did you mean "sha256"?', 1, true)
          and mistake(crypto.hash, "whirlpool", "x"):find('unknown hash "whirlpool"', 1, true)
          and mistake(crypto.hash, "sha256", "x", "octal"):find("invalid option 'octal'", 1, true)
          and mistake(crypto.hmac, "sha256", "x"):find("bad argument #3", 1, true) and true'''),
    ("a-hasher-takes-pieces-and-may-be-asked-in-between", '''
        local h = crypto.hasher("sha256")
        local empty = h:digest()
        local abc = h:update("a"):update("bc"):digest()
        local k = crypto.hasher("sha512", "key"):update("a"):update("b")
        return empty == crypto.hash("sha256", "") and abc == crypto.hash("sha256", "abc") and h:update("d"):digest() == crypto.hash("sha256", "abcd")
          and k:digest() == crypto.hmac("sha512", "key", "ab") and k:update("c"):digest("raw") == crypto.hmac("sha512", "key", "abc", "raw")'''),
    ("long-data-give-the-same-as-pieces", '''
        local piece = crypto.random_bytes(65536)
        local long, h = piece:rep(161) .. "end", crypto.hasher("sha256")
        local m = crypto.hasher("sha1", "key"):update(long)
        for _ = 1, 161 do h:update(piece) end
        return h:update("end"):digest() == crypto.hash("sha256", long) and m:digest() == crypto.hmac("sha1", "key", long)'''),
    ("random-bytes-are-as-many-as-asked-for", '''
        for _, n in ipairs{ 0, 1, 16, 1024, 65536 } do if #crypto.random_bytes(n) ~= n or #crypto.random_hex(n) ~= 2 * n then return n end end
        return crypto.random_bytes(16) ~= crypto.random_bytes(16) and crypto.random_hex(8):find("^%x+$") and #crypto.random_bytes(3, "base64") == 4
          and mistake(crypto.random_bytes, -1):find("between 0 and 65536") and mistake(crypto.random_hex, 65537):find("between 0 and 65536") and true'''),
    ("random-integers-are-in-their-range-and-reach-its-ends", '''
        local seen, count = {}, 0
        while count < 3 do
          local n = crypto.random_integer(-1, 1)
          if n < -1 or n > 1 then return n end
          if not seen[n] then seen[n], count = true, count + 1 end
        end
        return crypto.random_integer(7, 7) == 7 and math.type(crypto.random_integer(math.mininteger, math.maxinteger)) == "integer"
          and mistake(crypto.random_integer, 2, 1):find("less than the first") and true'''),
    ("equal-compares-strings", '''
        return crypto.equal("", "") and crypto.equal("a\\0b", "a\\0b") and not crypto.equal("a\\0b", "a\\0c") and not crypto.equal("a", "aa")
          and mistake(crypto.equal, nil, "a"):find("string expected") and true'''),
    ("base64-goes-both-ways-however-long", '''
        for _, n in ipairs{ 0, 1, 2, 3, 700, 1000, 1023, 196608, 196609, 400001 } do
          local data = crypto.random_bytes(math.min(n, 65536)):rep(7):sub(1, n)
          if base64.decode(base64.encode(data)) ~= data or base64.decode_url(base64.encode_url(data)) ~= data
            or base64.decode_url(base64.encode_url(data, { padding = true }), { padding = true }) ~= data or hex.decode(hex.encode(data)) ~= data
            or base64.decode((base64.encode(data):gsub("(....)", "%1\\n")), { strict = false }) ~= data then return n end
        end
        return true'''),
    ("a-text-that-is-no-base64-says-where", '''
        local err = failure(base64.decode, "Zm9v!")
        local cut = failure(base64.decode, "Zm9vZg")
        local long = failure(base64.decode, ("Zm9v"):rep(100000) .. "Zm9*")
        return err.name == "Base64Error" and err.code == "base64.decode" and err.status == 400 and err.message == "invalid base64 at byte 5"
          and cut.message:find("cut off at byte 6") and long.message == "invalid base64 at byte 400004" and true'''),
    ("a-text-that-is-no-hex-says-where", '''
        local err = failure(hex.decode, "00zz")
        return err.name == "HexError" and err.code == "hex.decode" and err.status == 400 and err.message == "invalid hexadecimal text at byte 3"
          and failure(hex.decode, "001").message:find("half a byte at byte 3") and true'''),
    ("unknown-options-are-mistakes", '''
        return mistake(base64.decode, "", { strikt = true }):find('base64.decode: unknown option "strikt"; did you mean "strict"?', 1, true)
          and mistake(base64.decode, "", { [1] = true }):find("an option's name must be a string", 1, true)
          and mistake(base64.encode_url, "", { padding = 1 }):find('option "padding" must be a boolean', 1, true) and true'''),
    ("a-password-is-verified", '''
        local hash = crypto.password_hash("secret", CHEAP)
        local ok, old = crypto.password_verify(hash, "secret", CHEAP)
        local wrong, old_too = crypto.password_verify(hash, "Secret")
        return hash:find("^%$argon2id%$v=19%$m=8,t=1,p=1%$") and ok and not old and not wrong and old_too
          and crypto.password_hash("secret", CHEAP) ~= hash and crypto.password_verify(crypto.password_hash("", CHEAP), "")
          and crypto.password_verify(crypto.password_hash("a\\0b", CHEAP), "a\\0b") and not crypto.password_verify(crypto.password_hash("a\\0b", CHEAP), "a\\0c")'''),
    ("what-is-no-hash-is-not-compared", '''
        for _, hash in ipairs{ "", "secret", "$2b$10$abcdefghijklmnopqrstuv", ("x"):rep(500), "$argon2id$v=19$m=8,t=1,p=1$c2FsdA\\0" } do
          local err = failure(crypto.password_verify, hash, "secret")
          if err.name ~= "CryptoError" or err.code ~= "crypto.password" then return hash .. ": " .. tostring(err) end
        end
        return true'''),
    ("options-of-passwords-are-checked", '''
        return mistake(crypto.password_hash, "x", { memory = 1 }):find('option "memory" must be an integer from 8192', 1, true)
          and mistake(crypto.password_hash, "x", { opps = 1 }):find('did you mean "ops"?', 1, true)
          and mistake(crypto.password_hash, ("x"):rep(4097)):find("4096 bytes at most", 1, true)
          and crypto.password_verify(crypto.password_hash(("x"):rep(4096), CHEAP), ("x"):rep(4096))'''),
    ("many-passwords-at-a-time-wait-for-each-other", '''
        local hashes = fsd.task.map({ 1, 2, 3, 4, 5, 6, 7, 8 }, 8, function(i) return crypto.password_hash("p" .. i, CHEAP) end)
        for i = 1, 8 do if not crypto.password_verify(hashes[i], "p" .. i) then return i end end
        return true'''),
    ("more-than-can-wait-are-refused", '''
        local codes, tasks = {}, {}
        for i = 1, 80 do
          tasks[i] = fsd.task.spawn(function()
            local hash, err = fsd.try(crypto.password_hash, "x", CHEAP)
            local code = err and err.code or "hashed"
            codes[code] = (codes[code] or 0) + 1
          end)
        end
        for _, t in ipairs(tasks) do t:join() end
        return codes.hashed >= 66 and codes["compute.overload"] == 80 - codes.hashed'''),
    ("a-cancelled-task-leaves-its-job-and-others-get-theirs", '''
        local tasks = {}
        for i = 1, 6 do tasks[i] = fsd.task.spawn(crypto.password_hash, "p" .. i, CHEAP) end
        fsd.task.yield()
        for i = 1, 6, 2 do tasks[i]:cancel() end
        for i = 1, 6 do
          local hash, err = fsd.try(tasks[i].join, tasks[i])
          if i % 2 == 1 and not (err and err.code == "cancelled") then return i .. tostring(err) end
          if i % 2 == 0 and not crypto.password_verify(hash, "p" .. i) then return i end
        end
        return true'''),
    ("what-is-sealed-opens-with-its-key-and-context-only", '''
        local key, data = crypto.random_bytes(32), crypto.random_bytes(1000)
        local sealed = crypto.seal(data, key, "user 1")
        local changed = sealed:sub(1, 50) .. string.char(sealed:byte(51) ~ 1) .. sealed:sub(52)
        return #sealed == 1040 and crypto.open(sealed, key, "user 1") == data and crypto.open(sealed, key) == nil
          and crypto.open(sealed, key, "user 2") == nil and crypto.open(sealed, crypto.random_bytes(32), "user 1") == nil
          and crypto.open(changed, key, "user 1") == nil and crypto.open(sealed:sub(1, -2), key, "user 1") == nil
          and crypto.open("", key) == nil and crypto.open(crypto.seal("", key), key) == "" and crypto.seal(data, key) ~= crypto.seal(data, key)
          and mistake(crypto.seal, "x", "short"):find("a key is 32 bytes", 1, true) and mistake(crypto.seal, ("x"):rep(4194305), key):find("4 MiB")
          and true'''),
    ("what-would-be-too-long-is-refused", '''
        return mistake(hex.encode, ("x"):rep(40 * 1024 * 1024)):find("64 MiB at most", 1, true) and true'''),
]


@pytest.fixture(scope="module")
def app(serve):
    every = "app:get('/every', function() local r = {} for _, name in ipairs{ %s } do r[name] = { crypto.hash(name, DATA), "\
            "crypto.hmac(name, 'a key', DATA) } end return r end)" % ", ".join(f'"{name}"' for name in HASHES)
    return serve(app_of(ROWS, HEAD + 'local DATA = ("some data "):rep(20)\n' + every))


@pytest.mark.parametrize("row", ROWS, ids=names(ROWS))
def test_row(app, row):
    answer = app.get("/" + row[0])
    assert (answer.status, answer.text) == (200, "true")


def test_hashes_are_those_of_others(app):
    results = app.get("/every").json()
    data = b"some data " * 20
    for name, pythons in HASHES.items():
        assert results[name] == [hashlib.new(pythons, data).hexdigest(), hmac.new(b"a key", data, pythons).hexdigest()], name


def test_a_long_hash_lets_others_run_and_ends_with_its_task(serve):
    app = serve('''
local fsd = require "fsd"
local app = fsd.app()
local data = ("x"):rep(60 * 1024 * 1024)
app:get("/", function()
  local turns, done = 0, false
  local counter = fsd.task.spawn(function() while not done do turns = turns + 1 fsd.task.yield() end end)
  local hash = fsd.crypto.hash("sha512", data)
  done = true
  counter:join()
  local cancelled = fsd.task.spawn(function() while true do fsd.crypto.hash("sha512", data) end end)
  fsd.task.yield()
  cancelled:cancel()
  local _, err = fsd.try(cancelled.join, cancelled)
  return { turns = turns, hash = hash, code = err.code }
end)
return app
''')
    answer = app.get("/").json()
    assert answer["hash"] == hashlib.sha512(b"x" * 60 * 1024 * 1024).hexdigest()
    assert answer["turns"] > 3
    assert answer["code"] == "cancelled"


def children(pid):
    return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_helper_that_dies_fails_its_job_only_and_goes_with_its_worker(serve):
    app = serve('''
local fsd = require "fsd"
local app = fsd.app()
local CHEAP = { ops = 1, memory = 8192 }
app:get("/hash", function() return fsd.crypto.password_hash("x", CHEAP) end)
app:get("/long", function()
  local _, err = fsd.try(fsd.crypto.password_hash, "x", { ops = 1000, memory = 1024 * 1024 * 64 })
  return { name = err.name, code = err.code }
end)
return app
''')
    worker = app.workers()[0]["pid"]
    assert children(worker) == []
    assert app.get("/hash").text.startswith("$argon2id$")
    helper, = children(worker)
    with app.connection() as waiting:
        waiting.request("GET", "/long")
        # by the second one, as soon as the first has the long one
        wait_for(lambda: app.get("/hash").status == 200 and len(children(worker)) == 2, "a second helper")
        helpers = set(children(worker))
        assert helper in helpers
        for pid in helpers:
            os.kill(pid, signal.SIGKILL)
        answer = waiting.getresponse()
        assert json.loads(answer.read()) == {"name": "ComputeError", "code": "compute.lost"}
    wait_for(lambda: not helpers & set(children(worker)), "both to be reaped")
    assert app.get("/hash").status == 200
    last = children(worker)
    os.kill(worker, signal.SIGKILL)
    wait_for(lambda: not any(pathlib.Path(f"/proc/{pid}").exists() for pid in last), "the helper to end with its worker")
