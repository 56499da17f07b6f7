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
