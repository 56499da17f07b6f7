---@meta fsd.crypto

---Hashes, keyed hashes and random bytes. Failures of the system raise `CryptoError`.
---@class fsd.crypto
local crypto = {}

---@alias fsd.crypto.Hash "md5"|"sha1"|"sha224"|"sha256"|"sha384"|"sha512"|"sha512-256"|"sha3-256"|"sha3-384"|"sha3-512"|"blake2b512"|"blake2s256"
---@alias fsd.crypto.Encoding "raw"|"hex"|"base64"|"base64url"

---The hash of a string. A long one is hashed in pieces, and lets others run in between. md5 and sha1 are there for what others ask for;
---they are not safe against forgery. No hash of these is fit for passwords.
---@param name fsd.crypto.Hash
---@param data string
---@param encoding? fsd.crypto.Encoding "hex" by default
---@return string
function crypto.hash(name, data, encoding) end

---The HMAC (RFC 2104) of a string with a key.
---@param name fsd.crypto.Hash
---@param key string
---@param data string
---@param encoding? fsd.crypto.Encoding "hex" by default
---@return string
function crypto.hmac(name, key, data, encoding) end

---A hash that is made piece by piece; with a key, an HMAC.
---@param name fsd.crypto.Hash
---@param key? string
---@return fsd.Hasher
function crypto.hasher(name, key) end

---Bytes of the kernel's random generator, fit for keys and tokens.
---@param n integer 0 to 65536
---@param encoding? fsd.crypto.Encoding "raw" by default
---@return string
function crypto.random_bytes(n, encoding) end

---So many random bytes as twice as many hexadecimal digits.
---@param n integer 0 to 65536
---@return string
function crypto.random_hex(n) end

---A random integer, fit for codes that a person types: each one from low to high is as likely as the others.
---@param low integer
---@param high integer
---@return integer
function crypto.random_integer(low, high) end

---Whether two strings are equal; the time it takes tells nothing but whether their lengths are. For tokens and signatures.
---@param a string
---@param b string
---@return boolean
function crypto.equal(a, b) end

---@class fsd.crypto.PasswordOptions
---@field ops? integer how often the memory is gone through, 1 to 1000, 2 by default
---@field memory? integer bytes that it takes, 8 KiB to 1 GiB, 64 MiB by default

---A hash of a password, to be stored: argon2id with a salt of its own, as text that names its cost. A helper process makes it, so the
---worker serves others meanwhile; two are made at a time, and 64 may wait. The worker's and the helper's copies of the password are wiped;
---a string of Lua can't be, and lives until it is collected.
---
---Raises `CryptoError` (`crypto.memory`, `crypto.password`: the cost is out of range) and `ComputeError` (`compute.overload` with status
---503, `compute.start`, `compute.lost`: the helper process has died).
---@async
---@param password string at most 4096 bytes
---@param options? fsd.crypto.PasswordOptions
---@return string hash at most 127 characters
function crypto.password_hash(password, options) end

---Whether it is the password that the hash was made of, and whether the hash was made with another cost than the options', so that it is
---to be made anew. Raises as `password_hash`; `crypto.password` also when that is no hash of argon2.
---@async
---@param hash string
---@param password string at most 4096 bytes
---@param options? fsd.crypto.PasswordOptions what new hashes are made with
---@return boolean is_password
---@return boolean needs_rehash
function crypto.password_verify(hash, password, options) end

---Encrypts data so that only who has the key can read it, and nobody can change it (XChaCha20-Poly1305 with a random nonce, which stands
---in front): 40 bytes longer. `context` is not in it, but must be the same to open it: whose it is, what it is for.
---@param data string at most 4 MiB
---@param key string 32 bytes, of `crypto.random_bytes(32)`
---@param context? string
---@return string sealed
function crypto.seal(data, key, context) end

---What `seal` was given; nil when the key or the context is another, or it was changed.
---@param sealed string
---@param key string
---@param context? string
---@return string? data
function crypto.open(sealed, key, context) end

---A hash, or an HMAC, that is being made.
---@class fsd.Hasher
local hasher = {}

---Adds data; a long string is taken in pieces, and lets others run in between.
---@param data string
---@return fsd.Hasher self
function hasher:update(data) end

---The hash of what was added so far; more may be added afterwards.
---@param encoding? fsd.crypto.Encoding "hex" by default
---@return string
function hasher:digest(encoding) end

return crypto
